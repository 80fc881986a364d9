//! What comes into force is what was shown, and what is not in force is not taken for it.

use super::exchange::{applied, back_from, begin, stop_at};
use super::history;
use crate::apply::Stop;
use crate::apply::journal::Record;
use crate::apply::step::{Effect, VersionRef};

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
const SCENE: &str = "update";

#[test]
fn a_version_that_does_not_say_what_the_step_says_never_comes_into_force() {
    let (world, disk) = applied(SCENE);
    let mut back = back_from(&world, &disk).unwrap();
    let broad = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let before = {
        let mut world = world.world.borrow_mut();
        let policy = world.policies.get_mut(SHARED).unwrap();
        policy.versions.insert("v9".to_owned(), broad.to_owned());
        policy.default.clone()
    };
    let to = back.proposal.steps.iter_mut().find_map(|step| match &mut step.effect {
        Effect::SetDefault { to, .. } => Some(to),
        _ => None,
    });
    to.unwrap().version = VersionRef::Id("v9".to_owned());
    let (_, ended) = begin(back, &world, "r");
    assert!(matches!(ended.unwrap_err(), Stop::Drifted { .. }));
    assert_eq!(world.world.borrow().policies[SHARED].default, before);
}

#[test]
fn a_version_that_was_created_anew_and_not_chosen_has_taken_nothing_back() {
    let (world, disk) = applied(SCENE);
    let narrow = world.world.borrow().policies[SHARED].default.clone();
    let (first, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
    ended.unwrap();
    let full = world.world.borrow().policies[SHARED].default.clone();
    assert_ne!(full, narrow);
    // Taken back again, and stopped behind the version that is created anew.
    let again = back_from(&world, &first).unwrap();
    let creates = |own: &Effect| matches!(own, Effect::CreateVersion { .. });
    assert!(again.proposal.steps.iter().any(|step| creates(&step.effect)), "{:?}", again.proposal.steps);
    stop_at(&world, 1);
    let (second, ended) = begin(again, &world, "rr");
    ended.unwrap_err();
    assert_eq!(world.world.borrow().policies[SHARED].default, full);
    let noted = history(&first).note(&history(&second), true);
    let steps = history(&first).steps().to_vec();
    let is_choice = |at: &usize| matches!(steps[*at].effect, Effect::SetDefault { .. });
    match noted {
        Some(Record::RolledBack { .. }) => panic!("half of it was taken back"),
        Some(Record::TakenBack { steps, in_doubt, .. }) => {
            assert!(!steps.iter().chain(&in_doubt).any(is_choice), "{steps:?} {in_doubt:?}");
        }
        _ => {}
    }
}
