//! Who used a service through a group or a policy, and which policies grant a service.

use std::sync::Arc;

use aws_sdk_iam::types::JobStatusType;
use serde::Deserialize;

use super::earlier::Earlier;
use super::pages::Pages;
use super::run::{Answer, Run};
use super::target::Target;
use super::wire::{Entities, EntityDetails, Granting, GrantingEntry, Service, time};
use super::{CollectError, Include};
use crate::aws::{AwsError, Call, ErrorKind};

/// The most namespaces that one call takes.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html>.
const NAMESPACES: usize = 200;

/// Collects what hangs on a report; says whether its job was there to the end.
pub(super) async fn collect(
    run: &Arc<Run>,
    target: &Target,
    job: &str,
    rows: &[Service],
) -> Result<bool, CollectError> {
    if target.has_entities() {
        for row in rows.iter().filter(|row| row.is_used()) {
            if !one_service(run, target, job, &row.service_namespace).await? {
                return Ok(false);
            }
        }
    }
    if run.options.include.granting && target.is_granted() {
        granting(run, target, rows).await?;
    }
    Ok(true)
}

/// Returns the files of what hangs on a report that is there; none when the report cannot be read.
fn hanging(include: Include, target: &Target, report: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Rows {
        #[serde(default)]
        services_last_accessed: Vec<Row>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        service_namespace: String,
        last_authenticated: Option<String>,
    }
    let mut files = Vec::new();
    if target.has_entities() {
        let rows = serde_json::from_slice::<Rows>(report).ok()?;
        let used = rows.services_last_accessed.iter().filter(|row| row.last_authenticated.is_some());
        files.extend(used.map(|row| target.entities(&row.service_namespace)));
    }
    if include.granting && target.is_granted() {
        files.push(target.granting());
    }
    Some(files)
}

/// Returns whether all that hangs on a report that is there is there too.
pub(super) fn are_there(earlier: &Earlier, include: Include, target: &Target, report: &[u8]) -> bool {
    hanging(include, target, report).is_some_and(|files| files.iter().all(|name| earlier.existing(name).is_some()))
}

/// Takes over what hangs on a report that is taken over; says whether all of it is there.
pub(super) fn keep(run: &Run, target: &Target, report: &[u8]) -> Result<bool, CollectError> {
    if !run.stage(|stage| are_there(stage.earlier(), run.options.include, target, report)) {
        return Ok(false);
    }
    keep_what_is_there(run, run.options.include, target, report)?;
    Ok(true)
}

/// Takes over what there is of all that can hang on the report of somebody who is not read anew: nobody asks for more of it.
pub(super) fn keep_of_other(run: &Run, target: &Target, report: &[u8]) -> Result<(), CollectError> {
    keep_what_is_there(run, Include { granting: true, ..run.options.include }, target, report)
}

fn keep_what_is_there(run: &Run, include: Include, target: &Target, report: &[u8]) -> Result<(), CollectError> {
    for name in hanging(include, target, report).unwrap_or_default() {
        if let Some(found) = run.existing(&name) {
            run.stage(|stage| stage.keep(&name, &found))?;
        }
    }
    Ok(())
}

/// Collects one service; says whether the job was there. AWS says of a job that belonged to another session what it says of
/// whoever was deleted: only a new job tells which.
async fn one_service(run: &Arc<Run>, target: &Target, job: &str, namespace: &str) -> Result<bool, CollectError> {
    match run.whole(|| read(run, target, job, namespace)).await? {
        Ok((page, rows)) => {
            let content = Entities {
                job_status: "COMPLETED",
                job_creation_date: time(&page.0),
                job_completion_date: time(&page.1),
                entity_details_list: &rows,
                is_truncated: false,
                arn: &target.arn,
                service_namespace: namespace,
            };
            run.put(target.entities(namespace), &content).await?;
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => run.gap_of(&target.arn, &error),
    }
    Ok(true)
}

type Dates = (aws_sdk_iam::primitives::DateTime, aws_sdk_iam::primitives::DateTime);

async fn read(run: &Run, target: &Target, job: &str, namespace: &str) -> Answer<(Dates, Vec<EntityDetails>)> {
    let call = Call::new("iam:GetServiceLastAccessedDetailsWithEntities").on(&target.arn);
    let (mut rows, mut pages, mut marker) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let answer = run
            .call(&call, |aws| {
                let call = aws.iam.get_service_last_accessed_details_with_entities();
                call.job_id(job).service_namespace(namespace).set_marker(marker.clone()).send()
            })
            .await?;
        let page = match answer {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        if page.job_status() != &JobStatusType::Completed {
            return Ok(Err(AwsError::answer(&call, format!("the job is `{}`", page.job_status().as_str()))));
        }
        let next = pages.next(&call, page.is_truncated(), page.marker());
        let dates = (page.job_creation_date, page.job_completion_date);
        for row in page.entity_details_list {
            match EntityDetails::of(row) {
                Some(row) => rows.push(row),
                None => return Ok(Err(AwsError::answer(&call, "a row does not say who it is about"))),
            }
        }
        marker = match next {
            Ok(Some(marker)) => Some(marker),
            Ok(None) => return Ok(Ok((dates, rows))),
            Err(error) => return Ok(Err(error)),
        };
    }
}

async fn granting(run: &Arc<Run>, target: &Target, rows: &[Service]) -> Result<(), CollectError> {
    let namespaces: Vec<String> = rows.iter().map(|row| row.service_namespace.clone()).collect();
    let mut entries = Vec::new();
    for chunk in namespaces.chunks(NAMESPACES) {
        match run.whole(|| list(run, target, chunk)).await? {
            Ok(found) => entries.extend(found),
            Err(error) => {
                run.gap_of(&target.arn, &error);
                return Ok(());
            }
        }
    }
    let content = Granting { policies_granting_service_access: &entries, is_truncated: false, arn: &target.arn };
    run.put(target.granting(), &content).await
}

async fn list(run: &Run, target: &Target, namespaces: &[String]) -> Answer<Vec<GrantingEntry>> {
    let call = Call::new("iam:ListPoliciesGrantingServiceAccess").on(&target.arn);
    let (mut entries, mut pages, mut marker) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let answer = run
            .call(&call, |aws| {
                let call = aws.iam.list_policies_granting_service_access().arn(&target.arn);
                call.set_service_namespaces(Some(namespaces.to_vec())).set_marker(marker.clone()).send()
            })
            .await?;
        let page = match answer {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let next = pages.next(&call, page.is_truncated(), page.marker());
        for entry in page.policies_granting_service_access {
            match GrantingEntry::of(entry) {
                Some(entry) => entries.push(entry),
                None => return Ok(Err(AwsError::answer(&call, "an entry does not say of which service it is"))),
            }
        }
        marker = match next {
            Ok(Some(marker)) => Some(marker),
            Ok(None) => return Ok(Ok(entries)),
            Err(error) => return Ok(Err(error)),
        };
    }
}
