//! The real clients against the emulator: the Rust SDK, boto3 and the AWS CLI, none of which know that it is not AWS.

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod build;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod python;
#[cfg(test)]
mod same;
#[cfg(test)]
mod sdk;
