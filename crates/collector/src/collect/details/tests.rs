use aws_sdk_iam::types::{GroupDetail, RoleDetail, UserDetail};

use super::*;

fn user(name: &str, groups: &[&str]) -> UserDetail {
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    let arn = format!("arn:aws:iam::111122223333:user/{name}");
    UserDetail::builder().user_name(name).arn(arn).set_group_list(Some(groups)).build()
}

fn role(path: &str, name: &str) -> RoleDetail {
    let arn = format!("arn:aws:iam::111122223333:role{path}{name}");
    RoleDetail::builder().role_name(name).path(path).arn(arn).build()
}

fn page(users: &[UserDetail]) -> Page {
    let group = GroupDetail::builder().group_name("staff").arn("arn:aws:iam::111122223333:group/staff").build();
    let linked = role("/aws-service-role/x.amazonaws.com/", "linked");
    Page::builder()
        .set_user_detail_list(Some(users.to_vec()))
        .group_detail_list(group)
        .set_role_detail_list(Some(vec![role("/", "ci"), linked]))
        .build()
}

/// What is doubted: whether nobody is missing, and the kinds of the gaps.
fn doubts(users: &[UserDetail], counts: [i32; 3]) -> (bool, Vec<String>) {
    let mut account = Account::default();
    let call = Call::new("iam:GetAccountAuthorizationDetails");
    account.add(Include::default(), &call, &page(users), &mut BTreeSet::new()).unwrap();
    assert_eq!(account.targets.len(), account.counts.users + account.counts.roles);
    let summary: SummaryMap = COUNTED.into_iter().map(|(_, key)| key).zip(counts).collect();
    let (gaps, is_complete) = account.doubts(Some(&summary));
    (is_complete, gaps.into_iter().map(|gap| gap.kind).collect())
}

#[test]
fn details_that_do_not_fit_together_are_not_complete() {
    let (ana, bo) = (user("ana", &["staff"]), user("bo", &[]));
    let check = |users: &[UserDetail], counts: [i32; 3], is_complete: bool, kinds: &[&str]| {
        assert_eq!(doubts(users, counts), (is_complete, kinds.iter().map(|&kind| kind.to_owned()).collect()));
    };
    check(&[ana.clone(), bo.clone()], [2, 1, 2], true, &[]);
    // Nobody documents whether roles that are linked to services count.
    check(&[ana.clone(), bo.clone()], [2, 1, 1], true, &[]);
    // One came twice, another one is missing: as many rows as there are users.
    check(&[ana.clone(), ana.clone()], [2, 1, 2], false, &["counts-differ", "torn-pages"]);
    check(&[ana.clone(), bo.clone(), ana.clone()], [2, 1, 2], false, &["torn-pages"]);
    check(std::slice::from_ref(&ana), [2, 1, 2], false, &["counts-differ"]);
    check(&[ana.clone(), bo.clone()], [2, 2, 2], false, &["counts-differ"]);
    check(&[ana.clone(), bo.clone()], [2, 1, 3], false, &["counts-differ"]);
    check(&[ana.clone(), user("bo", &["gone"])], [2, 1, 2], false, &["torn-pages"]);
    // Who is listed and not counted yet is not missing.
    check(&[ana, bo], [1, 1, 2], true, &["counts-differ"]);
}

#[test]
fn without_counts_nothing_shows_that_the_details_are_whole() {
    let account = Account::default();
    let told = |summary: Option<&SummaryMap>| account.uncounted(summary, None).map(|gap| gap.detail);
    assert_eq!(
        told(None).unwrap(),
        "the account's summary does not tell how many users, groups, roles there are: nothing shows that the details \
         list them all"
    );
    let whole = COUNTED.into_iter().map(|(_, key)| (key, 1)).collect();
    assert_eq!(told(Some(&whole)), None);
}

#[test]
fn what_somebody_has_and_nobody_lists_is_a_gap() {
    let of = |user: UserDetail| {
        let attached = AttachedPolicy::builder().policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess").build();
        let boundary =
            AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::1:policy/b").build();
        let mut user = user;
        user.attached_managed_policies = Some(vec![attached]);
        user.permissions_boundary = Some(boundary);
        user
    };
    assert_eq!(
        doubts(&[of(user("ana", &["staff"])), user("bo", &[])], [2, 1, 2]),
        (true, vec!["not-listed".to_owned(); 2])
    );
}
