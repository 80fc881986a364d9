//! The session with AWS that a command writes through, and whether it is where the writes are to go.

use std::sync::Arc;

use crate::apply::Destination;
use crate::apply::aws::Cloud;
use crate::cli::collect;
use crate::cli::failure::Failure;
use crate::cli::flags::{AccessArgs, Globals};
use crate::cli::progress::Shown;

/// Opens a session.
pub(in crate::cli) fn open(globals: &Globals, args: &AccessArgs) -> Result<Cloud, Failure> {
    let opened = Cloud::open(async { collect::open(globals, args, Arc::new(Shown::new(true, args.verbose))).await });
    opened.map_err(|error| Failure::error("io", format!("no threads: {error}")))?
}

/// Refuses an account or a partition that is not that of the plan or journal.
pub(in crate::cli) fn check_account(cloud: &Cloud, to: &Destination) -> Result<(), Failure> {
    let identity = cloud.session().identity();
    if identity.account == to.account && identity.partition() == to.partition {
        return Ok(());
    }
    let message = format!(
        "it is about account {} in partition {}, and these credentials are of {} in {}",
        to.account,
        to.partition,
        identity.account,
        identity.partition()
    );
    Err(Failure::refused("other-account", message).help("use credentials of that account: --profile, --role-arn"))
}

/// Refuses an endpoint that is not that of the plan or journal: what was planned against a test must not reach AWS, nor the
/// other way round.
pub(in crate::cli) fn check_endpoint(live: Option<&str>, to: &Destination) -> Result<(), Failure> {
    if live == to.endpoint.as_deref() {
        return Ok(());
    }
    let name = |endpoint: Option<&str>| endpoint.unwrap_or("AWS's own").to_owned();
    let message = format!("it is about the endpoint {}, and this is {}", name(to.endpoint.as_deref()), name(live));
    Err(Failure::refused("other-endpoint", message).help("set AWS_ENDPOINT_URL as it was, or leave it out"))
}
