//! The operations on reports: generate, get, get with entities.

use super::catalogue::Catalogue;
use super::frozen::{Frozen, Last};
use super::jobs::Job;
use super::subject;
use crate::emulator::call::{Call, page_end};
use crate::emulator::wire::{Error, Xml, params::constraint};

/// `GenerateServiceLastAccessedDetails`: the report is of this moment, whenever it is read.
pub fn generate(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let arn = call.params.required("Arn")?;
    if arn.len() < 20 {
        return Err(constraint("arn", arn, "Member must have length greater than or equal to 20"));
    }
    let granularity = call.params.get("Granularity").unwrap_or("SERVICE_LEVEL");
    if !matches!(granularity, "SERVICE_LEVEL" | "ACTION_LEVEL") {
        let words = "Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]";
        return Err(constraint("granularity", granularity, words));
    }
    let account = call.account();
    let subject = subject::of(&account, arn)?;
    let allowed = call.world.derivation.of(&subject.documents);
    let seen = call.now.plus(-call.world.behaviour.report_delay_millis);
    let report = Frozen::new(&account, &subject, allowed, &call.world.usage, seen);
    let (duration, failure) = call.world.behaviour.next_job(arn, &mut call.world.ids);
    let id = call.world.ids.uuid();
    let job = Job {
        owner: call.caller.owner(),
        granularity: granularity.to_owned(),
        created: call.now,
        done: call.now.plus(duration),
        failure,
        report,
    };
    call.world.jobs.0.insert(id.clone(), job);
    xml.text("JobId", id);
    Ok(())
}

/// The job, if there is one and the caller may read it.
fn job<'a>(call: &'a Call<'_>, id: &str) -> Result<&'a Job, Error> {
    let job = call.world.jobs.0.get(id).filter(|job| job.owner == call.caller.owner());
    job.ok_or_else(|| Error::no_such_entity(format!("Job {id} does not exist.")))
}

/// Writes what every answer about a job begins with; says whether there is more to write.
fn write_state(call: &Call<'_>, xml: &mut Xml, job: &Job, with_type: bool) -> bool {
    if call.now < job.done {
        xml.text("JobStatus", "IN_PROGRESS");
        xml.value("JobCreationDate", job.created);
        xml.value("IsTruncated", false);
        return false;
    }
    let status = if job.failure.is_some() { "FAILED" } else { "COMPLETED" };
    xml.text("JobStatus", status);
    if with_type {
        xml.text("JobType", &job.granularity);
    }
    xml.value("JobCreationDate", job.created);
    xml.value("JobCompletionDate", job.done);
    if let Some((code, message)) = &job.failure {
        xml.object("Error", |xml| {
            xml.text("Code", code);
            xml.text("Message", message);
        });
        xml.value("IsTruncated", false);
        return false;
    }
    true
}

/// `GetServiceLastAccessedDetails`.
pub fn get(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let id = call.params.required("JobId")?;
    let job = job(call, id)?;
    let page = call.page(id)?;
    if !write_state(call, xml, job, true) {
        return Ok(());
    }
    let by_action = job.granularity == "ACTION_LEVEL";
    let (rows, marker) = page.take_listed(&job.report.allowed.services);
    xml.list("ServicesLastAccessed", rows, |xml, (service, actions)| {
        write_service(xml, &job.report, *service, if by_action { actions } else { &[] });
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

fn write_service(xml: &mut Xml, report: &Frozen, at: usize, actions: &[usize]) {
    let catalogue = Catalogue::get();
    let Some(service) = catalogue.services.get(at) else { return };
    let last = report.last(at);
    xml.text("ServiceName", service.name);
    if let Some(last) = last {
        xml.value("LastAuthenticated", last.used.time);
    }
    xml.text("ServiceNamespace", service.namespace);
    if let Some(last) = last {
        xml.text("LastAuthenticatedEntity", report.arn(last));
        xml.text("LastAuthenticatedRegion", &last.used.region);
    }
    xml.value("TotalAuthenticatedEntities", report.services.get(&at).map_or(0, Vec::len));
    if actions.is_empty() {
        return;
    }
    xml.list("TrackedActionsLastAccessed", actions, |xml, at| {
        let Some(action) = catalogue.actions.get(*at) else { return };
        xml.text("ActionName", action.name);
        if let Some(last) = report.actions.get(at) {
            xml.text("LastAccessedEntity", report.arn(last));
            xml.value("LastAccessedTime", last.used.time);
            xml.text("LastAccessedRegion", &last.used.region);
        }
    });
}

/// `GetServiceLastAccessedDetailsWithEntities`: by service only.
pub fn with_entities(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let id = call.params.required("JobId")?;
    let namespace = call.params.required("ServiceNamespace")?;
    let job = job(call, id)?;
    let service = Catalogue::get().service(namespace).ok_or_else(|| unknown_service(namespace))?;
    let page = call.page(&format!("{id}|{namespace}"))?;
    if !write_state(call, xml, job, false) {
        return Ok(());
    }
    let mut uses: Vec<&Last> = job.report.services.get(&service).into_iter().flatten().collect();
    uses.sort_by_key(|last| std::cmp::Reverse(last.used.time));
    let (uses, marker) = page.take_listed(uses);
    let account = call.account();
    xml.list("EntityDetailsList", uses, |xml, last| {
        let Some(member) = job.report.members.get(last.member) else { return };
        // The members are those of then, their names and paths are those of now.
        let now = account.by_id(&member.id);
        let arn = now.map_or_else(|| member.arn.clone(), |entity| account.arn_of(entity));
        xml.object("EntityInfo", |xml| {
            xml.text("Arn", arn);
            xml.text("Name", now.map_or(&member.name, |entity| &entity.name));
            xml.text("Type", member.kind.shout());
            xml.text("Id", &member.id);
            xml.text("Path", now.map_or(&member.path, |entity| &entity.path));
        });
        xml.value("LastAuthenticated", last.used.time);
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

/// The error for a service that there is not; namespaces are in lower case.
pub fn unknown_service(namespace: &str) -> Error {
    Error::invalid_input(format!("Invalid service namespace: {namespace}"))
}
