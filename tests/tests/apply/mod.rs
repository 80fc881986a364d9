//! Apply and rollback, through the shipped binary, against the emulator.

mod again;
mod chains;
mod drift;
mod exchange;
mod faults;
mod files;
mod forged;
mod gone;
mod interrupts;
mod kills;
mod old;
mod permissions;
mod points;
mod random;
mod runbook;
mod safety;
mod since;
mod stage;
mod tampered;
mod theirs;
mod town;
mod ways;
