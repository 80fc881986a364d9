//! `secateur collect`

use std::path::Path;
use std::sync::Arc;

use secateur_analyzer::account::Gap;
use secateur_collector::SnapshotError;
use secateur_collector::aws::{self, Access, AwsError, ErrorKind, Rate, Session, Watch};
use secateur_collector::collect::{
    self, Check, CollectError, Collected, Granularity, Include, Options, OutOfScope, Progress,
};

use super::failure::Failure;
use super::flags::{AccessArgs, CollectArgs, Globals, GranularityFlag, IncludeFlag};
use super::inputs::Workspace;
use super::progress::Shown;
use super::{Exit, Outcome, interrupts, journals, output};
use crate::render::{count, visible};

pub(super) fn run(globals: &Globals, args: &CollectArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let dir = args.snapshot.clone().unwrap_or_else(|| workspace.state("snapshot"));
    if args.snapshot.is_none() && !args.check {
        journals::warn_open(&workspace, "the snapshot of its plan");
    }
    let shown = Arc::new(Shown::new(globals.quiet, args.access.verbose));
    let ended = aws::block_on(go(globals, args, &dir, &shown));
    shown.end();
    ended.map_err(|error| Failure::error("io", format!("no threads: {error}")))?
}

async fn go(globals: &Globals, args: &CollectArgs, dir: &Path, shown: &Arc<Shown>) -> Outcome {
    let ended = interrupts::until_interrupted(asked(globals, args, dir, shown)).await;
    shown.end();
    ended.unwrap_or_else(|| Err(if args.check { interrupted_check() } else { interrupted(dir) }))
}

async fn asked(globals: &Globals, args: &CollectArgs, dir: &Path, shown: &Arc<Shown>) -> Outcome {
    let watch: Arc<dyn Progress> = shown.clone();
    let session = open(globals, &args.access, watch.clone()).await?;
    if args.check {
        let check = collect::check(&session, dir, &options(args)).await.map_err(|error| failure(&error))?;
        shown.end();
        output::print(&checked(&check, args.access.rate.unwrap_or_default()))?;
        return Ok(if check.is_good() { Exit::Done } else { Exit::Partly });
    }
    if args.snapshot.is_none() {
        output::prepare_state(dir)?;
    }
    let collected = collect::collect(session, dir, options(args), watch).await;
    shown.end();
    let collected = collected.map_err(|error| failure(&error))?;
    output::print(&summary(&collected, dir, shown))?;
    Ok(if collected.manifest.gaps.is_empty() { Exit::Done } else { Exit::Partly })
}

/// What there is to say when somebody has ended a collection.
fn interrupted(dir: &Path) -> Failure {
    let shown = dir.display().to_string();
    let shown = visible(&shown);
    let there = match collect::is_snapshot(dir) {
        true => format!("the snapshot in {shown} is what it was before"),
        false => format!("there is no snapshot in {shown} yet"),
    };
    let (kept, again) = match collect::has_begun(dir) {
        true => ("what was read until now is kept beside it", "goes on from there"),
        false => ("nothing was read yet", "begins again"),
    };
    Failure::error("interrupted", format!("interrupted: {there}; {kept}"))
        .help(format!("`secateur collect` with the same flags {again}"))
}

fn interrupted_check() -> Failure {
    Failure::error("interrupted", "interrupted: a check changes nothing").help("run the same command again")
}

/// Opens a session and says whose it is.
pub(super) async fn open(globals: &Globals, args: &AccessArgs, watch: Arc<dyn Watch>) -> Result<Session, Failure> {
    let access = Access {
        profile: args.profile.clone(),
        region: args.region.clone(),
        role_arn: args.role_arn.clone(),
        external_id: args.external_id.clone(),
        session_name: args.session_name.clone(),
    };
    let session = Session::open(access, args.rate.unwrap_or_default(), watch).await.map_err(|error| of_aws(&error))?;
    if !globals.quiet {
        let identity = session.identity();
        output::note(&format!(
            "Account {} in partition {}, as {}",
            visible(&identity.account),
            visible(identity.partition()),
            visible(identity.arn.as_str())
        ));
    }
    Ok(session)
}

fn options(args: &CollectArgs) -> Options {
    let includes = |flag: IncludeFlag| args.include.contains(&flag);
    Options {
        principals: args.principal.clone(),
        include: Include {
            groups: includes(IncludeFlag::Groups),
            policies: includes(IncludeFlag::Policies),
            granting: includes(IncludeFlag::Granting),
        },
        granularity: match args.granularity {
            GranularityFlag::Action => Granularity::Action,
            GranularityFlag::Service => Granularity::Service,
        },
        max_age: args.max_age,
        reference: args.reference(),
        reference_is_asked_for: args.service_reference.is_some(),
        may_name_nobody: false,
    }
}

/// Calls a second that AWS has been seen to allow for IAM; it publishes no number.
const USUAL_RATE: f64 = 10.0;

fn checked(check: &Check, rate: Rate) -> String {
    let mut lines = Vec::new();
    if check.is_good() && check.untried.is_empty() {
        lines.push("No permission is missing".to_owned());
    } else if check.is_good() {
        lines.push("No permission is missing of those that could be tried".to_owned());
    } else if check.missing.is_empty() {
        lines.push("No permission is known to be missing".to_owned());
    } else {
        lines.push(format!("{} missing; without it:", count(check.missing.len(), "permission")));
        lines.extend(check.missing.iter().map(|(permission, without)| format!("  {}: {without}", visible(permission))));
        lines.push("docs/permissions.md has a policy that allows all of them".to_owned());
    }
    if !check.failed.is_empty() {
        lines.push(
            "Failed, so that nobody knows whether they are allowed; while they fail, a collection has gaps instead:"
                .to_owned(),
        );
        lines.extend(check.failed.iter().map(|(operation, why)| format!("  {operation}: {}", visible(why))));
    }
    if !check.untried.is_empty() {
        lines.push(format!("Not tried, for want of anybody to try it on: {}", check.untried.join(", ")));
    }
    if check.is_uncounted {
        lines.push(
            "\nHow many calls there would be nobody knows without iam:GetAccountAuthorizationDetails\n".to_owned(),
        );
        return lines.join("\n");
    }
    let kept = match check.reports_kept {
        0 => String::new(),
        kept => format!(" and {kept} taken over, which are younger than --max-age"),
    };
    lines.push(format!(
        "\n{} would be read{kept}, by about {}:",
        count(check.reports, "report"),
        count(check.total(), "call")
    ));
    lines.extend(check.calls.iter().map(|estimate| format!("  {:>6}  {}", estimate.calls, estimate.operation)));
    let (rate, why) = match rate {
        Rate::Cap(rate) => (rate, String::new()),
        Rate::Polite | Rate::Max => (USUAL_RATE, " if AWS allows them, which publishes no rate".to_owned()),
    };
    lines.push(format!(
        "That takes about {} at {rate} calls a second{why}; LookupEvents at 2\n",
        super::progress::span(check.seconds(rate))
    ));
    lines.join("\n")
}

/// How many gaps the summary names.
const NAMED_GAPS: usize = 10;

fn summary(collected: &Collected, dir: &Path, shown: &Shown) -> String {
    let Collected { manifest, counts, reports_read, reports_kept, out_of_scope, notes } = collected;
    let mut lines = vec![
        format!("Collected account {} into {}", visible(&manifest.account_id), visible(&dir.display().to_string())),
        format!(
            "  {}, {}, {}, {}",
            count(counts.users, "user"),
            count(counts.roles, "role"),
            count(counts.groups, "group"),
            if counts.policies == 1 { "1 policy".to_owned() } else { format!("{} policies", counts.policies) }
        ),
        format!("  {} read, {reports_kept} taken over", count(*reports_read, "report")),
        format!("  {}", shown.totals()),
    ];
    lines.extend(manifest.scope.as_ref().map(|_| format!("  {}", limited(*out_of_scope))));
    lines.extend(notes.iter().map(|note| format!("  Note: {}", visible(note))));
    if !manifest.complete {
        lines
            .push("  INCOMPLETE: the authorization details lack somebody; a plan from it cannot be applied".to_owned());
    }
    if manifest.gaps.is_empty() {
        let of = if out_of_scope.principals > 0 { " of whoever --principal names" } else { "" };
        lines.push(format!("  Nothing is missing{of}"));
    } else {
        lines.push(format!(
            "  {}; every plan names them, and keeps what they leave without evidence:",
            count(manifest.gaps.len(), "gap")
        ));
        for gap in manifest.gaps.iter().take(NAMED_GAPS) {
            lines.push(format!("    {}: {}: {}", visible(&gap.subject), gap.kind, visible(&gap.detail)));
        }
        if manifest.gaps.len() > NAMED_GAPS {
            lines.push(format!("    ... and {} more, in manifest.json", manifest.gaps.len() - NAMED_GAPS));
        }
        lines.extend(what_helps(&manifest.gaps).into_iter().map(|line| format!("  {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Returns what a scope left out: what is not there shows no disuse.
fn limited(out_of_scope: OutOfScope) -> String {
    let OutOfScope { principals, without_report, without_keys } = out_of_scope;
    if principals == 0 {
        return "--principal names everybody: nobody is left out".to_owned();
    }
    if (without_report, without_keys) == (0, 0) {
        return "Limited by --principal: of everybody else there is what earlier collections read".to_owned();
    }
    format!(
        "Limited by --principal: of everybody else {without_report} have no report here, and {without_keys} of the users no \
         access-key data; every plan keeps what is theirs"
    )
}

/// Returns what mends gaps like these.
fn what_helps(gaps: &[Gap]) -> Vec<&'static str> {
    let (mut keys, mut denied, mut off, mut refused, mut later) = (false, false, false, false, false);
    for gap in gaps {
        match gap.kind.as_str() {
            "access-denied" if gap.detail.starts_with("kms:") => keys = true,
            "access-denied" => denied = true,
            "region-off" => off = true,
            "refused" => refused = true,
            _ => later = true,
        }
    }
    let mut lines = Vec::new();
    if denied {
        lines.push("Allow the permissions that are named (docs/permissions.md has the policy), then run `secateur collect` again");
    }
    if keys {
        lines.push(
            "Of a KMS key its own policy decides too: have both allow `kms:DescribeKey` and `kms:GetKeyLastUsage`, then run \
             `secateur collect` again",
        );
    }
    if off {
        lines.push("Of keys in a Region that is off nothing can be read until somebody enables it");
    }
    if refused {
        lines.push("What was refused stays refused until the reason that stands with it is mended, where it can be");
    }
    if later {
        lines.push("Run `secateur collect` again: it reads what is missing, and nothing else that is young");
    }
    lines
}

pub(super) fn failure(error: &CollectError) -> Failure {
    match error {
        CollectError::Aws(error) => of_aws(error),
        CollectError::Snapshot(SnapshotError::Io { doing, path, source }) => Failure::io(doing, path, source),
        CollectError::Snapshot(error) => Failure::snapshot(error),
        CollectError::Locked { .. } => with_help(Failure::refused("locked", error.to_string()), error.help()),
        CollectError::OtherAccount { .. }
        | CollectError::MadeByHand { .. }
        | CollectError::ManifestUnreadable { .. }
        | CollectError::OtherFormat { .. } => with_help(Failure::refused("not-empty", error.to_string()), error.help()),
        CollectError::Nobody { .. } => with_help(Failure::usage(error.to_string()), error.help()),
        CollectError::Io { path, source, doing } => Failure::io(doing, path, source),
        CollectError::Unfinished => with_help(Failure::error("bug", error.to_string()), error.help()),
    }
}

/// An error of AWS.
fn of_aws(error: &AwsError) -> Failure {
    let reason = match error.kind() {
        ErrorKind::Throttled => "throttled",
        ErrorKind::Credentials => "credentials",
        ErrorKind::Expired => "credentials-expired",
        ErrorKind::Clock => "clock",
        ErrorKind::Denied(_) => "access-denied",
        ErrorKind::Transient => "unreachable",
        ErrorKind::NotFound | ErrorKind::Answer | ErrorKind::Refused(_) | ErrorKind::Request => "aws",
    };
    with_help(Failure::error(reason, error.to_string()), error.help().map(str::to_owned))
}

fn with_help(failure: Failure, help: Option<String>) -> Failure {
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_told_with_the_file_and_what_helps() {
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let (doing, path) = ("write", std::path::PathBuf::from("snap/.collecting/regions.json"));
        for error in [
            CollectError::Snapshot(SnapshotError::Io { doing, path: path.clone(), source: full() }),
            CollectError::Io { doing, path: path.clone(), source: full() },
        ] {
            let text = failure(&error).to_text();
            assert!(text.starts_with("cannot write `snap/.collecting/regions.json`: "), "{text}");
            assert!(text.ends_with("\nhelp: make room on the disk"), "{text}");
        }
    }

    #[test]
    fn what_helps_is_said_of_what_is_missing_and_of_nothing_else() {
        let gap = |kind: &str, detail: &str| Gap {
            subject: "x".to_owned(),
            kind: kind.to_owned(),
            detail: detail.to_owned(),
        };
        let said = |gaps: &[Gap]| what_helps(gaps).join("\n");
        assert!(said(&[gap("unreachable", "kms:DescribeKey: x")]).starts_with("Run `secateur collect` again"));
        let key = said(&[gap("access-denied", "kms:DescribeKey: the permission kms:DescribeKey is missing: x")]);
        assert!(key.starts_with("Of a KMS key its own policy decides too") && !key.contains('\n'), "{key}");
        let off = said(&[gap("region-off", "x")]);
        assert!(!off.contains("again"), "{off}");
        let refused = said(&[gap("refused", "kms:GetKeyLastUsage: UnknownOperationException")]);
        assert!(refused.starts_with("What was refused stays refused") && !refused.contains("again"), "{refused}");
        let both = said(&[gap("access-denied", "iam:ListPolicyTags: x"), gap("job-lost", "x")]);
        assert!(both.starts_with("Allow the permissions") && both.contains("\nRun `secateur collect` again"), "{both}");
    }
}
