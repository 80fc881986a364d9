//! Collecting: everything that AWS knows about use, into a snapshot.
//!
//! First who is there and what is granted, then what was used: reports, keys, tags, side by side, each at its own pace. The
//! event history comes last, since it has to reach as far as the reports do. What cannot be read is a gap in the manifest, and
//! the rest goes on. Nothing of the account stands in memory as a whole.

mod access_keys;
mod check;
mod details;
mod earlier;
mod entities;
mod error;
mod grants;
mod jobs;
mod kms;
mod names;
mod outages;
mod pages;
mod policy_tags;
mod reference;
mod regions;
mod reports;
mod ripeness;
mod run;
mod stage;
mod target;
mod waiting;
mod wire;

use std::path::Path;
use std::sync::Arc;

use secateur_analyzer::account::Gap;

pub use check::{Check, Estimate, check};
pub use error::CollectError;

use crate::aws::{Session, Watch};
use crate::{FORMAT_VERSION, Manifest};
use earlier::State;
use run::Run;
use stage::{Lock, Stage};
pub use stage::{has_begun, is_snapshot};
use target::{Known, Target};

/// What to collect beside what is always collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    /// Reports of groups, and who used what through them.
    pub groups: bool,
    /// Reports of policies, and who used what through them.
    pub policies: bool,
    /// Which policies grant each service that a report lists.
    pub granting: bool,
}

/// How fine reports are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Granularity {
    /// Services and actions.
    #[default]
    Action,
    /// Services alone.
    Service,
}

/// What to collect, and what need not be read again.
#[derive(Clone, Debug)]
pub struct Options {
    /// Globs over addresses such as `role/ci` and over ARNs; empty for everybody.
    pub principals: Vec<String>,
    /// Whether a glob may name nobody: who compares with a plan finds out by itself who is gone.
    pub may_name_nobody: bool,
    /// What to collect beside users and roles.
    pub include: Include,
    /// How fine reports are.
    pub granularity: Granularity,
    /// How old evidence may be, in seconds, to be taken over instead of read again.
    pub max_age: i64,
    /// Where AWS's service reference is; none leaves it out.
    pub reference: Option<String>,
    /// Whether somebody asked for it: then it is read where AWS itself is not asked, too.
    pub reference_is_asked_for: bool,
}

/// What a collection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Users, groups, roles and policies.
    Details,
    /// Reports, keys and tags.
    Evidence,
    /// The event history of IAM.
    Grants,
}

/// Whoever wants to know how far a collection is.
pub trait Progress: Watch {
    /// A phase begins.
    fn phase(&self, phase: Phase);
    /// So many of so many reports are there; some were there before.
    fn reports(&self, done: usize, total: usize);
}

/// What a collection came to.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The manifest, as it was written, without the list of files.
    pub manifest: Manifest,
    /// How many users, groups, roles and policies there are.
    pub counts: Counts,
    /// How many reports were asked of AWS.
    pub reports_read: usize,
    /// How many reports were young enough to be taken over.
    pub reports_kept: usize,
    /// Of whom there is nothing, since nobody asked for them.
    pub out_of_scope: OutOfScope,
    /// What was left out that is no gap.
    pub notes: Vec<String>,
}

/// How many were out of scope, and have no evidence of an earlier collection either: nothing shows that they do not use what
/// they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutOfScope {
    /// All of them.
    pub principals: usize,
    /// Those without a report.
    pub without_report: usize,
    /// The users without access keys and their last use.
    pub without_keys: usize,
}

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users.
    pub users: usize,
    /// Groups.
    pub groups: usize,
    /// Roles.
    pub roles: usize,
    /// Policies, those of AWS that are attached among them.
    pub policies: usize,
}

/// Collects into a snapshot directory, and makes the result the snapshot when all is read.
///
/// # Errors
/// When there can be no snapshot: somebody else is collecting, credentials end, AWS cannot be reached, the authorization
/// details cannot be read, the disk refuses. What was read is kept for the next collection.
pub async fn collect(
    session: Session,
    dir: &Path,
    options: Options,
    progress: Arc<dyn Progress>,
) -> Result<Collected, CollectError> {
    let lock = Lock::take(dir)?;
    let identity = session.identity().clone();
    let mut notes = Vec::new();
    progress.phase(Phase::Details);
    // The first call to IAM tells where IAM is, and what time it is there.
    let summary = details::summary(&session).await?;
    session.keep_to_published_rates();
    let started_at = session.now();
    let stage = Stage::open(lock, dir, state_of(&session), options.max_age, !options.principals.is_empty())?;
    let run = Arc::new(Run::new(session, stage, options, Arc::clone(&progress)));
    regions::collect(&run).await?;
    let account = details::collect(&run, summary).await?;

    everybody_is_there(&run.options, &account)?;
    run.knows_principals(Known::of(&account.targets));

    progress.phase(Phase::Evidence);
    let (targets, others): (Vec<Target>, Vec<Target>) =
        account.targets.into_iter().partition(|target| run.is_in_scope(target));
    let principals = others.len();
    let reports = run.spawn(reports::collect(Arc::clone(&run), targets, others));
    let keys = run.spawn(access_keys::collect(Arc::clone(&run), account.users));
    let tags = run.spawn(policy_tags::collect(Arc::clone(&run), account.own_policies));
    let kms = run.spawn(kms::collect(Arc::clone(&run), account.key_arns));
    let reference = run.spawn(reference::collect(Arc::clone(&run)));
    // Whoever fails first ends the others: they are dropped with the runtime.
    let reports = run.joined(reports).await?;
    let without_keys = run.joined(keys).await?;
    run.joined(tags).await?;
    run.joined(kms).await?;
    notes.extend(run.joined(reference).await?);
    notes.extend(run.note_of_gone());

    progress.phase(Phase::Grants);
    grants::collect(&run).await?;

    let run = Arc::into_inner(run);
    let Some(run) = run else { return Err(CollectError::Unfinished) };
    let (session, stage, gaps, options) = run.into_parts()?;
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        account_id: identity.account.clone(),
        partition: identity.partition().to_owned(),
        endpoint: session.endpoint(),
        caller_arn: Some(identity.arn),
        scope: (!options.principals.is_empty()).then_some(options.principals),
        started_at: stage.started_at(),
        finished_at: session.now().max(started_at),
        details_at: account.read_at,
        complete: account.is_complete,
        gaps,
        files: std::collections::BTreeMap::new(),
    };
    stage.publish(manifest.clone())?;
    Ok(Collected {
        manifest,
        counts: account.counts,
        reports_read: reports.read,
        reports_kept: reports.kept,
        out_of_scope: OutOfScope { principals, without_report: reports.without, without_keys },
        notes,
    })
}

/// What a collection that begins now says about itself.
fn state_of(session: &Session) -> State {
    let identity = session.identity();
    State {
        account_id: identity.account.clone(),
        partition: identity.partition().to_owned(),
        endpoint: session.endpoint(),
        started_at: session.now(),
    }
}

/// Refuses a glob that names nobody: it is a slip, and the snapshot of nobody would replace one of somebody.
fn everybody_is_there(options: &Options, account: &details::Account) -> Result<(), CollectError> {
    for glob in options.principals.iter().filter(|_| !options.may_name_nobody) {
        let is_named = |target: &Target| target.is_among(std::slice::from_ref(glob));
        if !account.targets.iter().chain(&account.users).any(is_named) {
            return Err(CollectError::Nobody { glob: glob.clone(), include: options.include });
        }
    }
    Ok(())
}

/// Returns a gap of that kind.
fn gap(subject: impl Into<String>, kind: &str, detail: impl Into<String>) -> Gap {
    Gap { subject: subject.into(), kind: kind.to_owned(), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use target::Kind;

    #[test]
    fn a_glob_that_names_nobody_is_refused() {
        let one = |kind, name: &str| Target { kind, arn: format!("arn:{name}"), name: name.to_owned(), created: None };
        let mut account = details::Account::default();
        account.targets.push(one(Kind::Role, "ci"));
        let mut options = Options {
            principals: vec!["role/c*".to_owned(), "arn:ci".to_owned()],
            include: Include::default(),
            granularity: Granularity::Action,
            max_age: 0,
            reference: None,
            reference_is_asked_for: false,
            may_name_nobody: false,
        };
        assert!(everybody_is_there(&options, &account).is_ok());
        for (glob, said) in [
            ("role/nobody", "`--principal role/nobody` names nobody in the account"),
            (
                "group/x",
                "`--principal group/x` names nobody in the account, whose groups are left out without `--include groups`",
            ),
        ] {
            options.principals.push(glob.to_owned());
            assert_eq!(everybody_is_there(&options, &account).unwrap_err().to_string(), said);
            options.principals.pop();
        }
        options.principals.clear();
        assert!(everybody_is_there(&options, &details::Account::default()).is_ok());
    }
}
