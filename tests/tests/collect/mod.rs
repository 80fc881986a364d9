//! `secateur collect`, the shipped binary against the emulator over HTTP.

mod access;
mod answers;
mod check;
mod endpoints;
mod faults;
mod logins;
mod permissions;
mod resume;
mod scene;
mod sizes;
mod whole;
