//! A request on its way: who calls, may they, does something go wrong; then the operation, and what is recorded of it.

use std::collections::BTreeMap;

use super::caller;
use crate::emulator::behaviour::{Effect, check_permission};
use crate::emulator::call::{Call, Operation, Run};
use crate::emulator::cloudtrail::{Event, home_region};
use crate::emulator::control::{Received, delete_with_all, kill};
use crate::emulator::options::millis;
use crate::emulator::state::{Caller, World};
use crate::emulator::time::Time;
use crate::emulator::wire::{Answer, Error, Protocol, Request, Xml};
use crate::emulator::{cloudtrail, control, iam, kms, regions, sts};

/// What becomes of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// What happens to it.
    pub then: Then,
    /// How many milliseconds later it is sent.
    pub delay: u64,
    /// Whether it is held until it is released.
    pub is_held: bool,
}

/// What happens to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is sent.
    Answer,
    /// The connection is reset instead.
    Reset,
    /// The connection is closed in its middle.
    Truncate,
}

/// Answers a request.
pub fn run(world: &mut World, request: &Request) -> Outcome {
    let now = world.clock.now();
    let request_id = world.request_ids.uuid();
    let caller = identify(world, request, now);
    let mut outcome = match &caller {
        Ok(caller) => answer(world, request, caller, now, &request_id),
        Err(error) => Outcome::of(error.answer(request.protocol, request.namespace(), &request_id)),
    };
    let header = if request.protocol == Protocol::Rest { "x-amzn-requestid" } else { "x-amzn-RequestId" };
    // The emulator's clock is AWS's: clients that go by the header see no other.
    outcome.answer = outcome.answer.with_header(header, request_id.clone()).with_header("date", now.http_date());
    if request.protocol == Protocol::Target {
        outcome.answer = outcome.answer.of_type("application/x-amz-json-1.1");
    }
    world.calls.add(Received::new(request, caller.ok().as_ref(), &outcome, now, request_id));
    outcome
}

impl Outcome {
    const fn of(answer: Answer) -> Self {
        Self { answer, then: Then::Answer, delay: 0, is_held: false }
    }
}

/// Whether a call is to be held before it is done.
pub fn is_held(world: &mut World, request: &Request) -> bool {
    let is_known = identify(world, request, world.clock.now()).is_ok();
    let operation = find(request).filter(|_| is_known);
    operation.is_some_and(|own| world.behaviour.faults.holds(own.name, own.writes, &request.params))
}

fn identify(world: &World, request: &Request, now: Time) -> Result<Caller, Error> {
    let signature = request.signature.as_ref().map_err(control::signature_error)?;
    caller::find(world, signature, now)
}

/// Finds the operation that a request names.
fn find(request: &Request) -> Option<&'static Operation> {
    let table = match request.service.as_str() {
        "iam" => iam::OPERATIONS,
        "sts" => sts::OPERATIONS,
        "kms" => kms::OPERATIONS,
        "cloudtrail" => cloudtrail::OPERATIONS,
        "account" => regions::OPERATIONS,
        _ => return None,
    };
    let is_rest = request.protocol == Protocol::Rest;
    table.iter().filter(|_| request.is_of_version()).find(|own| {
        // In this protocol the path is the operation's name with a small letter.
        own.name == request.operation || (is_rest && own.name.eq_ignore_ascii_case(&request.operation))
    })
}

fn answer(world: &mut World, request: &Request, caller: &Caller, now: Time, request_id: &str) -> Outcome {
    let failed = |error: &Error| Outcome::of(error.answer(request.protocol, request.namespace(), request_id));
    let Some(operation) = find(request) else { return failed(&request.unknown_operation()) };
    if request.is_malformed {
        return failed(&Error::new("SerializationException", 400, ""));
    }
    if operation.service == "iam"
        && let Err(error) = iam::check_names(&request.params)
    {
        return failed(&error);
    }
    if !world.behaviour.pacing.take(operation.service, operation.name, now) {
        return failed(&Error::throttling());
    }
    let effect = world.behaviour.faults.strike(operation.name, operation.writes, &request.params);
    match &effect {
        Some(Effect::Throttle) => return failed(&Error::throttling()),
        Some(Effect::Error { code, status, message }) => return failed(&Error::new(code, *status, message.clone())),
        Some(Effect::Answer { status, headers, body }) => return Outcome::of(Answer::foreign(*status, headers, body)),
        Some(Effect::Reset) => return Outcome { then: Then::Reset, ..failed(&Error::throttling()) },
        Some(Effect::ExpireSession) => {
            world.sessions.expire(Some(&caller.access_key), now);
            return failed(&Error::new("ExpiredToken", 403, "The security token included in the request is expired"));
        }
        Some(Effect::Kill { pid, after: false }) => {
            kill(*pid);
            return Outcome { then: Then::Reset, ..failed(&Error::throttling()) };
        }
        _ => {}
    }
    let lag = world.behaviour.consistency_millis;
    if let Some(Effect::Late { seconds }) = effect {
        world.behaviour.consistency_millis = millis(seconds);
    }
    let mut outcome = Outcome::of(perform(world, request, operation, caller, now, request_id));
    world.behaviour.consistency_millis = lag;
    match effect {
        Some(Effect::Hold { .. }) => outcome.is_held = true,
        Some(Effect::Truncate) => outcome.then = Then::Truncate,
        Some(Effect::AnswerLost) => outcome.then = Then::Reset,
        Some(Effect::Slow { millis }) => outcome.delay = millis,
        Some(Effect::Delete { arn }) => delete_with_all(world, &arn),
        Some(Effect::Kill { pid, .. }) => {
            kill(pid);
            outcome.then = Then::Reset;
        }
        _ => {}
    }
    outcome
}

fn perform(
    world: &mut World,
    request: &Request,
    operation: &'static Operation,
    caller: &Caller,
    now: Time,
    request_id: &str,
) -> Answer {
    let mut call = Call { world, params: &request.params, caller, now, operation: operation.name };
    let allowed = match call.world.behaviour.enforce {
        true => check_permission(&call, operation),
        false => Ok(()),
    };
    let done = allowed.and_then(|()| match operation.run {
        Run::Xml(run) => {
            let mut result = Xml::default();
            run(&mut call, &mut result)?;
            Ok(wrap(request, operation.name, result, request_id))
        }
        Run::Json(run) => run(&mut call).map(|value| Answer::json(200, &value)),
    });
    record(world, operation, request, caller, now, request_id, done.as_ref().err());
    match done {
        Ok(answer) => answer,
        Err(error) => error.answer(request.protocol, request.namespace(), request_id),
    }
}

/// Puts a result into the elements of the Query protocol.
fn wrap(request: &Request, name: &str, result: Xml, request_id: &str) -> Answer {
    let mut xml = Xml::default();
    xml.root(&format!("{name}Response"), request.namespace(), |xml| {
        if !result.is_empty() {
            xml.object(&format!("{name}Result"), |xml| xml.append(result));
        }
        xml.object("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    Answer::xml(200, xml.into_bytes())
}

/// Records an attempt: in the usage log, at the access key, and, if it writes, in the event history.
fn record(
    world: &mut World,
    operation: &Operation,
    request: &Request,
    caller: &Caller,
    now: Time,
    request_id: &str,
    error: Option<&Error>,
) {
    // Global services count in their home Region, wherever the call was signed for.
    let is_global = matches!(operation.service, "iam" | "account");
    let home = home_region(&world.account().partition);
    let region = if is_global { home } else { caller.region.as_str() };
    if let Some(id) = caller.entity_id().filter(|_| world.behaviour.records_calls) {
        control::record_use(
            world,
            id,
            operation.service,
            operation.name,
            region,
            now.to_second(),
            Some(&caller.access_key),
        );
    }
    if !operation.writes {
        return;
    }
    let own = request.params.iter().filter(|(name, _)| !matches!(*name, "Action" | "Version") && !name.contains('.'));
    let parameters: BTreeMap<String, String> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let event = Event {
        id: world.ids.uuid(),
        name: operation.name.to_owned(),
        source: format!("{}.amazonaws.com", operation.service),
        time: now,
        user_name: caller.arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
        user_arn: caller.arn.clone(),
        access_key: caller.access_key.clone(),
        account: world.account().id.clone(),
        region: region.to_owned(),
        parameters,
        error: error.map(|error| (error.code(Protocol::Query), error.message().to_owned())),
        request_id: request_id.to_owned(),
    };
    world.trail.add(event);
}
