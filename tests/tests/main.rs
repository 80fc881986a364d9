//! The invariants of the repository, and the end-to-end tests. One target, so that they link once.

#[cfg(test)]
mod acme;
#[cfg(test)]
mod apply;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod house;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod user_repo;
#[cfg(test)]
mod workspace;
