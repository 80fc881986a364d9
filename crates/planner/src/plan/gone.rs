//! Changes of which some are about people who are gone since: who is gone needs nothing, gets nothing, and has lost nothing.

use secateur_analyzer::account::Account;
use secateur_analyzer::arn::Arn;

use super::{Change, ExpectedHolder};

/// Returns whether the account has neither that user, role or group any more, nor another one of its name, nor itself under another
/// name. The account is one that was read whole.
pub fn is_gone(live: &Account, arn: &Arn, unique_id: &str) -> bool {
    let address = format!("{}/{}", arn.resource_type(), arn.name());
    let has_id = live.principals.iter().map(|own| &own.unique_id).chain(live.groups.iter().map(|own| &own.unique_id));
    !is_there(live, &address) && !has_id.into_iter().any(|own| own == unique_id)
}

/// Whether the account has a user, role or group of that name, which IAM finds without regard to case.
fn is_there(live: &Account, address: &str) -> bool {
    let principals = live.principals.iter().map(|own| (&own.arn, &own.name));
    let mut all = principals.chain(live.groups.iter().map(|own| (&own.arn, &own.name)));
    all.any(|(arn, name)| format!("{}/{name}", arn.resource_type()).eq_ignore_ascii_case(address))
}

/// Returns changes without those of a policy, a key or an attachment of somebody who is gone; the others expect nothing of them.
pub fn without_gone(changes: &[&Change], live: &Account) -> Vec<Change> {
    let is_left = |change: &&&Change| change.target.owner.as_ref().is_none_or(|owner| is_there(live, owner));
    changes.iter().filter(is_left).map(|change| expecting_those_there(change, live)).collect()
}

fn expecting_those_there(change: &Change, live: &Account) -> Change {
    let mut change = change.clone();
    let is_here = |holder: &ExpectedHolder| !is_gone(live, &holder.arn, &holder.unique_id);
    let expects = &mut change.expects;
    expects.holders.retain(is_here);
    expects.groups.retain(is_here);
    expects.attachments.retain(|who| is_there(live, who));
    expects.memberships.retain(|own| own.split(" in ").all(|who| is_there(live, who)));
    change
}

#[cfg(test)]
mod tests {
    use secateur_analyzer::account::Group;
    use secateur_analyzer::account::sketch::Sketch;

    use super::*;
    use crate::plan::{ChangeAction, Expects, Target};

    fn group(name: &str, unique_id: &str) -> Group {
        Group {
            arn: arn(name),
            name: name.to_owned(),
            unique_id: unique_id.to_owned(),
            path: "/".to_owned(),
            inline: Vec::new(),
            attached: Vec::new(),
        }
    }

    fn arn(name: &str) -> Arn {
        format!("arn:aws:iam::111122223333:group/{name}").parse().unwrap()
    }

    fn change(owner: &str) -> Change {
        let target = Target {
            kind: "aws_iam_group_policy_attachment".to_owned(),
            arn: "arn:aws:iam::111122223333:policy/p".parse().unwrap(),
            name: "p".to_owned(),
            unique_id: "ANPA1".to_owned(),
            owner: Some(owner.to_owned()),
            default_version: None,
            versions: Vec::new(),
        };
        let holder = |name: &str| ExpectedHolder { arn: arn(name), unique_id: format!("AGPA-{name}") };
        let expects = Expects {
            groups: vec![holder("ops"), holder("old"), holder("renamed"), holder("again")],
            attachments: vec!["group/ops".to_owned(), "group/old".to_owned()],
            memberships: vec!["group/old in group/ops".to_owned(), "group/Ops in group/ops".to_owned()],
            ..Expects::default()
        };
        Change { expects, ..Change::new(ChangeAction::Detach, target) }
    }

    #[test]
    fn who_is_gone_is_expected_nowhere_and_who_is_there_under_his_name_or_id_is() {
        let mut live = Sketch::new().account;
        // One bears another name now; another one bears the name of one.
        live.groups = vec![group("ops", "AGPA-ops"), group("new", "AGPA-renamed"), group("AGAIN", "AGPA-other")];
        let all = [change("group/ops"), change("group/old"), change("group/again")];
        let left = without_gone(&all.iter().collect::<Vec<_>>(), &live);
        let owners: Vec<_> = left.iter().map(|own| own.target.owner.as_deref().unwrap()).collect();
        assert_eq!(owners, ["group/ops", "group/again"]);
        // What they bore went with them, whatever it was to become.
        for action in [ChangeAction::Update, ChangeAction::Delete, ChangeAction::Deactivate] {
            let bears = |owner| Change { action, ..change(owner) };
            assert_eq!(without_gone(&[&bears("group/old"), &bears("group/ops")], &live).len(), 1, "{action:?}");
        }
        let expects = &left[0].expects;
        let groups: Vec<_> = expects.groups.iter().map(|own| own.arn.name()).collect();
        assert_eq!(groups, ["ops", "renamed", "again"]);
        assert_eq!(expects.attachments, ["group/ops"]);
        assert_eq!(expects.memberships, ["group/Ops in group/ops"]);
    }
}
