//! The binary `secateur`.

use std::process::ExitCode;

/// Planning is millions of small allocations.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    secateur::cli::run(std::env::args_os())
}
