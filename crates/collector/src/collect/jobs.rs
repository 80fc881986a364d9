//! One job: started, asked about, read page by page.

use std::sync::Arc;

use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput as Page;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, ErrorDetails, JobStatusType};

use super::pages::Pages;
use super::run::{Answer, Run};
use super::target::{Kind, Target};
use super::wire::Service;
use super::{CollectError, Granularity};
use crate::aws::{AwsError, Call, ErrorKind};

/// The most rows of a page: AWS has fewer services.
const PAGE: i32 = 1000;

/// What a job came to.
pub(super) enum State {
    /// It is not done. What AWS's answer lacks must not be taken for a report that is empty.
    Unfinished,
    /// AWS knows no such job: it belonged to a session that has ended.
    Lost,
    /// The report is about somebody else, who is named here.
    Astray(Times, String),
    /// AWS could not make the report.
    Failed(Times, Option<ErrorDetails>),
    /// The whole report.
    Done(Times, Vec<Service>),
}

/// When, and of which granularity.
pub(super) struct Times {
    pub created: DateTime,
    pub completed: DateTime,
    pub job_type: Option<AccessAdvisorUsageGranularityType>,
}

impl Times {
    /// Returns how long the job took.
    pub fn seconds(&self) -> f64 {
        let seconds = self.completed.as_secs_f64() - self.created.as_secs_f64();
        // Times of whole seconds are cut off.
        let is_whole = self.completed.subsec_nanos() == 0 && self.created.subsec_nanos() == 0;
        if is_whole && seconds > 0.0 { seconds + 1.0 } else { seconds }
    }
}

/// Starts a job.
pub(super) async fn generate(run: &Run, target: &Target) -> Answer<String> {
    let call = Call::new("iam:GenerateServiceLastAccessedDetails").on(&target.arn);
    let granularity = match run.options.granularity {
        Granularity::Action => AccessAdvisorUsageGranularityType::ActionLevel,
        Granularity::Service => AccessAdvisorUsageGranularityType::ServiceLevel,
    };
    let answer = run
        .call(&call, |aws| {
            let call = aws.iam.generate_service_last_accessed_details();
            call.arn(&target.arn).granularity(granularity.clone()).send()
        })
        .await?;
    Ok(answer.and_then(|answer| {
        answer.job_id.filter(|id| !id.is_empty()).ok_or_else(|| AwsError::answer(&call, "the answer has no `JobId`"))
    }))
}

/// Asks about a job, and reads all its pages when it is done.
pub(super) async fn read(run: &Arc<Run>, target: &Target, job: &str) -> Answer<State> {
    run.whole(|| read_once(run, target, job)).await
}

async fn read_once(run: &Run, target: &Target, job: &str) -> Answer<State> {
    let call = Call::new("iam:GetServiceLastAccessedDetails").on(&target.arn);
    let (mut rows, mut pages, mut marker) = (Vec::new(), Pages::default(), None::<String>);
    let mut completed = None::<DateTime>;
    loop {
        let answer = run
            .call(&call, |aws| {
                let call = aws.iam.get_service_last_accessed_details().job_id(job).max_items(PAGE);
                call.set_marker(marker.clone()).send()
            })
            .await?;
        let page = match answer {
            Ok(page) => page,
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Ok(State::Lost)),
            Err(error) => return Ok(Err(error)),
        };
        match page.job_status() {
            JobStatusType::Completed => {}
            JobStatusType::InProgress if marker.is_none() => return Ok(Ok(State::Unfinished)),
            JobStatusType::Failed => return Ok(Ok(State::Failed(times(&page), page.error))),
            other => {
                let message = format!("the job is `{}`", other.as_str());
                return Ok(Err(AwsError::answer(&call, message)));
            }
        }
        match check(run, &call, &page, completed.as_ref()) {
            Ok(()) => completed = Some(page.job_completion_date),
            Err(error) => return Ok(Err(error)),
        }
        let next = pages.next(&call, page.is_truncated(), page.marker());
        let times = times(&page);
        for row in page.services_last_accessed {
            match Service::of(row) {
                Some(row) => rows.push(row),
                None => return Ok(Err(AwsError::answer(&call, "a row lacks its service or the name of an action"))),
            }
        }
        marker = match next {
            Ok(Some(marker)) => Some(marker),
            Ok(None) => {
                return Ok(Ok(match astray(run, target, &rows) {
                    Some(other) => State::Astray(times, other),
                    None => State::Done(times, rows),
                }));
            }
            Err(error) => return Ok(Err(error)),
        };
    }
}

/// Returns whom a report is about, if it is not whom it was asked for: it names the user or the role itself as who used a
/// service last. Who is not in the account may have had another name then.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ServiceLastAccessed.html>.
fn astray(run: &Run, target: &Target, rows: &[Service]) -> Option<String> {
    if !matches!(target.kind, Kind::User | Kind::Role) {
        return None;
    }
    let mut entities = rows.iter().flat_map(Service::last_entities);
    entities.find(|entity| *entity != target.arn && run.is_principal(entity)).map(str::to_owned)
}

/// Refuses a page that is not what was asked for, or not of the report that the pages before it were of.
fn check(run: &Run, call: &Call<'_>, page: &Page, completed: Option<&DateTime>) -> Result<(), AwsError> {
    let wanted = match run.options.granularity {
        Granularity::Action => AccessAdvisorUsageGranularityType::ActionLevel,
        Granularity::Service => AccessAdvisorUsageGranularityType::ServiceLevel,
    };
    if page.job_type() != Some(&wanted) {
        return Err(AwsError::answer(call, format!("the report is not of the granularity {}", wanted.as_str())));
    }
    // The SDK fills in the beginning of 1970 for what is missing.
    if page.job_completion_date().secs() <= 0 {
        return Err(AwsError::answer(call, "the report does not say when it was made"));
    }
    if completed.is_some_and(|completed| completed != page.job_completion_date()) {
        return Err(AwsError::answer(call, "two pages are of two reports"));
    }
    Ok(())
}

fn times(page: &Page) -> Times {
    Times { created: page.job_creation_date, completed: page.job_completion_date, job_type: page.job_type.clone() }
}

/// What the pipeline of reports has to say when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Reports that were asked of AWS and are there.
    pub read: usize,
    /// Reports that were there.
    pub kept: usize,
    /// How many there are without one, since nobody asked for them.
    pub without: usize,
}

/// The result of a step that cannot be a gap.
pub(super) type Step<T> = Result<T, CollectError>;
