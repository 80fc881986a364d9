//! Reports of everybody: started and read as a pipeline.
//!
//! Jobs take seconds. They are started one after the other, each at its turn, and asked about when they are likely to be
//! done; reading and starting go on side by side, each at its own pace. How many jobs are open is limited: whoever loses the
//! session loses them all.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use secateur_analyzer::account::Gap;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::earlier::{Earlier, Existing};
use super::jobs::{self, Outcome, State, Step, Times};
use super::run::{Answer, Run};
use super::target::Target;
use super::waiting::{Job, Losses, Waiting};
use super::wire::{Report, Service, time};
use super::{CollectError, Granularity, Options, entities, gap};
use crate::snapshot::print;

/// How many jobs are open at a time.
const OPEN: usize = 512;
/// How many calls of a kind are under way, or wait for their turn: at a third of a second each, some fifty a second.
const WAITING: usize = 16;
/// How often a report is asked for anew when its job is lost.
const LOSSES: u32 = 3;

/// What a task came to.
enum Done {
    Started(Target, Losses, Answer<String>),
    Read(Job, Answer<State>),
    /// With the job, when it was lost before all that hangs on its report was read.
    Written(Step<Option<Job>>),
}

/// Why a job came to nothing.
enum Loss {
    /// The session that had started it ended, and its jobs with it.
    SessionEnded,
    /// What it gave is about somebody else.
    OfAnother(String),
}

struct Pipeline {
    run: Arc<Run>,
    todo: VecDeque<(Target, Losses)>,
    jobs: Waiting,
    tasks: JoinSet<Done>,
    starting: usize,
    reading: usize,
    /// How many reports are read, and are being written: they stand in memory.
    writing: usize,
    done: usize,
    total: usize,
    read: usize,
}

/// Collects the reports of `targets`; `others` keep what is there of them.
pub(super) async fn collect(run: Arc<Run>, targets: Vec<Target>, others: Vec<Target>) -> Step<Outcome> {
    let mut without = 0;
    for target in others {
        without += usize::from(!keep_of_other(&run, &target)?);
        run.carry_gaps(&target.arn, is_about_report);
    }
    let total = targets.len();
    let mut todo = VecDeque::new();
    for target in targets {
        let granularity = run.options.granularity;
        let is_young = |head: &Head| run.stage(|stage| is_young(stage.earlier(), &target, head, granularity));
        if !keep(&run, &target, is_young)? {
            todo.push_back((target, Losses::default()));
        }
    }
    let kept = total - todo.len();
    let mut pipeline = Pipeline {
        run,
        todo,
        jobs: Waiting::default(),
        tasks: JoinSet::new(),
        starting: 0,
        reading: 0,
        writing: 0,
        done: kept,
        total,
        read: 0,
    };
    pipeline.run().await?;
    Ok(Outcome { read: pipeline.read, kept, without })
}

/// Returns whether a gap is one of this module, or of what hangs on a report.
fn is_about_report(gap: &Gap) -> bool {
    matches!(gap.kind.as_str(), "report-failed" | "report-unfinished" | "job-lost" | "report-of-another")
        || ["ServiceLastAccessedDetails", "ListPoliciesGrantingServiceAccess"]
            .iter()
            .any(|call| gap.detail.contains(call))
}

/// What is looked at of a report that is there.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    arn: Option<String>,
    job_status: Option<String>,
    job_type: Option<String>,
    job_completion_date: Option<UnixTime>,
}

/// Returns whether a report that is there, with what hangs on it, need not be asked for again.
pub(super) fn is_kept(earlier: &Earlier, target: &Target, options: &Options) -> bool {
    let Some(found) = earlier.existing(&target.report()) else { return false };
    serde_json::from_slice::<Head>(&found.content).is_ok_and(|head| {
        head.arn.as_ref() == Some(&target.arn)
            && is_young(earlier, target, &head, options.granularity)
            && entities::are_there(earlier, options.include, target, &found.content)
    })
}

fn is_young(earlier: &Earlier, target: &Target, head: &Head, granularity: Granularity) -> bool {
    let wanted = match granularity {
        Granularity::Action => "ACTION_LEVEL",
        Granularity::Service => "SERVICE_LEVEL",
    };
    let is_fresh = |time: UnixTime| {
        // A report of before is about somebody else of that name.
        earlier.is_fresh(time) && target.created.is_none_or(|created| time >= created)
    };
    head.job_status.as_deref() == Some("COMPLETED")
        && head.job_type.as_deref() == Some(wanted)
        && head.job_completion_date.is_some_and(is_fresh)
}

/// Takes a report over that is there and young, with all that hangs on it.
fn keep(run: &Run, target: &Target, is_young: impl Fn(&Head) -> bool) -> Step<bool> {
    let Some((existing, head)) = there(run, target) else { return Ok(false) };
    if !is_young(&head) || !entities::keep(run, target, &existing.content)? {
        return Ok(false);
    }
    run.stage(|stage| stage.keep(&target.report(), &existing))?;
    Ok(true)
}

/// Takes over the report of somebody who is not read anew, however old, with what there is of what hangs on it.
fn keep_of_other(run: &Run, target: &Target) -> Step<bool> {
    let Some((existing, _)) = there(run, target) else { return Ok(false) };
    entities::keep_of_other(run, target, &existing.content)?;
    run.stage(|stage| stage.keep(&target.report(), &existing))?;
    Ok(true)
}

/// Returns the report of somebody that there is already.
fn there(run: &Run, target: &Target) -> Option<(Existing, Head)> {
    let existing = run.existing(&target.report())?;
    let head: Head = serde_json::from_slice(&existing.content).ok()?;
    (head.arn.as_deref() == Some(&target.arn)).then_some((existing, head))
}

impl Pipeline {
    async fn run(&mut self) -> Step<()> {
        loop {
            self.run.progress.reports(self.done, self.total);
            self.start_reading();
            self.start_jobs();
            if self.tasks.is_empty() && self.open() == 0 && self.todo.is_empty() {
                return Ok(());
            }
            let deadline = self.next_ripe().unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            if self.tasks.is_empty() {
                tokio::time::sleep_until(deadline).await;
                continue;
            }
            // Nothing came to its end: a job has ripened.
            let Ok(ended) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await else { continue };
            match ended {
                Some(Ok(done)) => self.take(done).await?,
                Some(Err(_)) => return Err(CollectError::Unfinished),
                None => {}
            }
        }
    }

    /// How many jobs are started, or about to be, and not read.
    fn open(&self) -> usize {
        self.jobs.len() + self.reading + self.starting
    }

    fn start_jobs(&mut self) {
        while self.starting < WAITING && self.open() < OPEN {
            let Some((target, losses)) = self.todo.pop_front() else { return };
            let run = Arc::clone(&self.run);
            self.starting += 1;
            self.tasks.spawn(async move {
                let answer = jobs::generate(&run, &target).await;
                Done::Started(target, losses, answer)
            });
        }
    }

    /// Whether one more report may be on its way. Where AWS answers faster than the disk takes, reports would pile up in memory.
    fn is_free(&self) -> bool {
        self.reading + self.writing < WAITING
    }

    fn start_reading(&mut self) {
        let now = Instant::now();
        while self.is_free() {
            let Some(job) = self.jobs.due(now, self.reading) else { return };
            let run = Arc::clone(&self.run);
            self.reading += 1;
            self.tasks.spawn(async move {
                let answer = jobs::read(&run, &job.target, &job.id).await;
                Done::Read(job, answer)
            });
        }
    }

    fn next_ripe(&self) -> Option<Instant> {
        if self.is_free() { self.jobs.next(self.reading) } else { None }
    }

    async fn take(&mut self, done: Done) -> Step<()> {
        match done {
            Done::Started(target, losses, answer) => {
                self.starting -= 1;
                match answer? {
                    Ok(id) => self.jobs.push(Job { target, id, started: Instant::now(), losses }),
                    Err(error) => {
                        self.run.gap_of(&target.arn, &error);
                        self.done += 1;
                    }
                }
                Ok(())
            }
            Done::Read(job, answer) => {
                self.reading -= 1;
                let run = Arc::clone(&self.run);
                match answer? {
                    Ok(State::Unfinished) => {
                        self.postpone(job);
                        return Ok(());
                    }
                    Ok(State::Lost) => {
                        self.lost(job, Loss::SessionEnded);
                        return Ok(());
                    }
                    Ok(State::Astray(times, other)) => {
                        self.jobs.took(lasted(&job, &times));
                        self.lost(job, Loss::OfAnother(other));
                        return Ok(());
                    }
                    Ok(State::Failed(times, error)) => {
                        self.jobs.took(lasted(&job, &times));
                        self.write_failure(&job, &times, error).await?;
                    }
                    Ok(State::Done(times, rows)) => {
                        self.jobs.took(lasted(&job, &times));
                        self.read += 1;
                        self.writing += 1;
                        self.tasks.spawn(async move { Done::Written(write(&run, job, times, rows).await) });
                        // Counted when it is written.
                        return Ok(());
                    }
                    Err(error) => {
                        self.jobs.failed_at(job.age());
                        run.gap_of(&job.target.arn, &error);
                    }
                }
                self.done += 1;
                Ok(())
            }
            Done::Written(written) => {
                self.writing -= 1;
                match written? {
                    Some(job) => {
                        self.read -= 1;
                        self.lost(job, Loss::SessionEnded);
                    }
                    None => self.done += 1,
                }
                Ok(())
            }
        }
    }

    /// A job came to nothing: another is started.
    fn lost(&mut self, mut job: Job, loss: Loss) {
        match &loss {
            Loss::SessionEnded => job.losses.gone += 1,
            Loss::OfAnother(_) => job.losses.astray += 1,
        }
        if job.losses.total() <= LOSSES {
            self.todo.push_front((job.target, job.losses));
            return;
        }
        let (kind, detail) = told(job.losses, &loss);
        self.run.gap(gap(&job.target.arn, kind, detail));
        self.done += 1;
    }

    fn postpone(&mut self, job: Job) {
        if let Err(job) = self.jobs.postpone(job, Instant::now()) {
            let detail = format!("its job was not done after {} seconds", job.age().as_secs());
            self.run.gap(gap(&job.target.arn, "report-unfinished", detail));
            self.done += 1;
        }
    }

    /// What AWS says of a failure is written too: no collection takes it over.
    async fn write_failure(
        &mut self,
        job: &Job,
        times: &Times,
        error: Option<aws_sdk_iam::types::ErrorDetails>,
    ) -> Step<()> {
        let why = match &error {
            Some(error) => format!("{}: {}", error.code(), error.message()),
            None => "AWS gives no reason".to_owned(),
        };
        self.run.gap(gap(&job.target.arn, "report-failed", why));
        let content = Report {
            job_status: "FAILED",
            job_type: times.job_type.as_ref().map(|kind| kind.as_str()),
            job_creation_date: time(&times.created),
            services_last_accessed: &[],
            job_completion_date: time(&times.completed),
            is_truncated: false,
            error: error.as_ref().map(Into::into),
            arn: &job.target.arn,
        };
        self.run.put(job.target.report(), &content).await
    }
}

/// Returns the kind of gap and its words for jobs that all came to nothing, the last of them in that way.
fn told(losses: Losses, last: &Loss) -> (&'static str, String) {
    let (times, Losses { gone, astray }) = (losses.total(), losses);
    let count =
        |jobs: u32, one: &str, many: &str| if jobs == 1 { format!("1 {one}") } else { format!("{jobs} {many}") };
    let gone_of_them = count(gone, "was lost, since the session ended", "were lost, since the session ended each time");
    match last {
        Loss::SessionEnded if astray == 0 => {
            ("job-lost", format!("its job was lost {times} times: the session ended each time"))
        }
        Loss::SessionEnded => {
            let astray = count(astray, "gave a report of somebody else", "each gave a report of somebody else");
            ("job-lost", format!("of {times} jobs {astray}, and {gone_of_them}"))
        }
        Loss::OfAnother(arn) if gone == 0 => {
            ("report-of-another", format!("of {times} jobs each gave a report of somebody else, the last of {arn}"))
        }
        Loss::OfAnother(arn) => {
            let astray =
                count(astray, "gave a report of somebody else, that", "gave reports of somebody else, the last");
            ("report-of-another", format!("of {times} jobs {gone_of_them}, and {astray} of {arn}"))
        }
    }
}

/// Writes a report, after what hangs on it: whoever is killed in between reads both anew. Returns the job when it was lost
/// before the end: without it nobody tells what hangs on the report.
async fn write(run: &Arc<Run>, job: Job, times: Times, rows: Vec<Service>) -> Step<Option<Job>> {
    if !entities::collect(run, &job.target, &job.id, &rows).await? {
        return Ok(Some(job));
    }
    let name = job.target.report();
    let write = move |into: &mut dyn Write| {
        let content = Report {
            job_status: "COMPLETED",
            job_type: times.job_type.as_ref().map(|kind| kind.as_str()),
            job_creation_date: time(&times.created),
            services_last_accessed: &rows,
            job_completion_date: time(&times.completed),
            is_truncated: false,
            error: None,
            arn: &job.target.arn,
        };
        print(into, &content)
    };
    run.put_with(name, write).await?;
    Ok(None)
}

/// How long a job took: as its report says, and no longer than it is old. A date from far ahead would hold up all others.
fn lasted(job: &Job, times: &Times) -> f64 {
    times.seconds().min(job.age().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_jobs_were_lost_is_counted_by_itself() {
        let said = |gone, astray, last: Loss| told(Losses { gone, astray }, &last);
        let another = || Loss::OfAnother("ARN".to_owned());
        for ((kind, detail), expected) in [
            (said(4, 0, Loss::SessionEnded), ("job-lost", "its job was lost 4 times: the session ended each time")),
            (
                said(0, 4, another()),
                ("report-of-another", "of 4 jobs each gave a report of somebody else, the last of ARN"),
            ),
            (
                said(3, 1, another()),
                (
                    "report-of-another",
                    "of 4 jobs 3 were lost, since the session ended each time, and 1 gave a report of somebody else, that of ARN",
                ),
            ),
            (
                said(1, 3, Loss::SessionEnded),
                (
                    "job-lost",
                    "of 4 jobs 3 each gave a report of somebody else, and 1 was lost, since the session ended",
                ),
            ),
        ] {
            assert_eq!((kind, detail.as_str()), expected);
        }
    }
}
