//! An account in memory, a disk that forgets what was not synced, and a clock that waiting moves.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;

use crate::apply::journal::{Intended, Store};
use crate::apply::{
    CallError, Clock, EntityKind, EntityRef, LiveEntity, LiveKey, LivePolicy, Reads, Write, Writes, Wrote,
};

/// Something that several threads share; a thread that the machine ended leaves it as it is.
#[derive(Debug, Default)]
pub struct Shared<T>(Arc<RwLock<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    pub fn new(value: T) -> Shared<T> {
        Shared(Arc::new(RwLock::new(value)))
    }

    pub fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn borrow_mut(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take(&self) -> T
    where
        T: Default,
    {
        std::mem::take(&mut self.borrow_mut())
    }
}

/// The machine stops here.
#[derive(Debug)]
pub struct Crash;

/// What goes wrong, and when: counted down over everything that a crash can come between.
#[derive(Clone, Debug, Default)]
pub struct Fate(Shared<Lot>);

#[derive(Clone, Copy, Debug, Default)]
enum Lot {
    #[default]
    Spared,
    After(usize),
    /// The machine has stopped, for all threads.
    Over,
}

impl Fate {
    pub fn after(points: usize) -> Fate {
        Fate(Shared::new(Lot::After(points)))
    }

    /// Whether the crash has not come.
    pub fn is_pending(&self) -> bool {
        matches!(*self.0.borrow(), Lot::After(_))
    }

    fn pass(&self) {
        // Whose turn it is among several threads is left to chance.
        std::thread::yield_now();
        let mut lot = self.0.borrow_mut();
        match *lot {
            Lot::Spared => return,
            Lot::After(points) if points > 0 => {
                *lot = Lot::After(points - 1);
                return;
            }
            Lot::After(_) | Lot::Over => *lot = Lot::Over,
        }
        drop(lot);
        std::panic::panic_any(Crash);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub unique_id: String,
    pub default: String,
    pub versions: BTreeMap<String, String>,
    pub next: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub entities: BTreeMap<String, String>,
    pub inline: BTreeMap<(String, String), String>,
    pub attached: BTreeMap<String, Vec<String>>,
    pub policies: BTreeMap<String, Policy>,
    pub keys: BTreeMap<(String, String), String>,
    pub members: BTreeMap<String, Vec<String>>,
    pub made: usize,
}

impl World {
    /// What must be the same after a rollback: ids of versions, and of what came and went, may differ.
    pub fn essence(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let policies: Vec<_> = (self.policies.iter())
            .map(|(arn, policy)| {
                let mut versions: Vec<String> = policy.versions.values().cloned().collect();
                versions.sort();
                (arn.clone(), policy.versions.get(&policy.default).cloned(), versions)
            })
            .collect();
        let mut attached = self.attached.clone();
        attached.values_mut().for_each(|list| list.sort());
        (self.inline.clone(), attached, policies, self.keys.clone())
    }
}

/// What somebody else does to the account meanwhile.
pub type Hand = fn(&mut World);

/// The account.
#[derive(Clone, Default)]
pub struct Sim {
    pub world: Shared<World>,
    pub fate: Fate,
    pub faults: Shared<Vec<Option<Fault>>>,
    pub calls: Shared<Vec<String>>,
    /// The time, and until when reads see which older world.
    pub clock: Shared<i64>,
    pub lag: i64,
    pub seen: Shared<Vec<(i64, World)>>,
    pub meddling: Shared<Option<Meddling>>,
    /// Somebody else, just before the step of that number is looked at.
    pub before_step: Shared<Option<(usize, Hand)>>,
    /// Somebody else, as the members of a group are read.
    pub as_members_are_read: Shared<Option<Hand>>,
    /// Writes that take effect later.
    pub late: Shared<Vec<(i64, Write)>>,
}

/// Somebody else, just before the n-th write.
pub struct Meddling {
    pub before_write: usize,
    pub act: fn(&mut World),
}

/// What a write answers instead.
#[derive(Clone, Debug)]
pub enum Fault {
    Throttle,
    Lost,
    NotReached,
    /// No answer, and the effect so many seconds later.
    Late(i64),
    Refused(&'static str),
}

impl Sim {
    /// What is late takes effect.
    fn arrive(&self) {
        let now = *self.clock.borrow();
        let due: Vec<(i64, Write)> = self.late.borrow_mut().extract_if(.., |(at, _)| *at <= now).collect();
        for (at, write) in due {
            // Nobody hears of it. It took effect when it was to, also where the clock has gone further meanwhile.
            let _ = self.perform(&write, at);
        }
    }

    fn look<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        self.arrive();
        let now = *self.clock.borrow();
        // The world before what was seen of it, as whoever writes takes them: in another order two would wait for each other.
        let world = self.world.borrow();
        match self.seen.borrow().iter().find(|(until, _)| now < *until) {
            Some((_, past)) => read(past),
            None => read(&world),
        }
    }

    fn perform_now(&self, write: &Write) -> Result<Wrote, CallError> {
        let now = *self.clock.borrow();
        self.perform(write, now)
    }

    fn perform(&self, write: &Write, at: i64) -> Result<Wrote, CallError> {
        let mut world = self.world.borrow_mut();
        if self.lag > 0 {
            self.seen.borrow_mut().push((at + self.lag, world.clone()));
        }
        let gone =
            || CallError::Refused { code: "NoSuchEntity".to_owned(), message: "gone".to_owned(), permission: None };
        let mut wrote = Wrote::default();
        match write.clone() {
            Write::PutInline { entity, policy, document } => {
                world.inline.insert((entity.to_string(), policy), document);
            }
            Write::DeleteInline { entity, policy } => {
                world.inline.remove(&(entity.to_string(), policy)).ok_or_else(gone)?;
            }
            Write::CreateVersion { policy, document } => {
                let own = world.policies.get_mut(policy.as_str()).ok_or_else(gone)?;
                if own.versions.len() >= 5 {
                    return Err(CallError::Refused {
                        code: "LimitExceeded".to_owned(),
                        message: "5".to_owned(),
                        permission: None,
                    });
                }
                own.next += 1;
                let id = format!("v{}", own.next);
                own.versions.insert(id.clone(), document);
                wrote.version = Some(id);
            }
            Write::SetDefault { policy, version } => {
                let own = world.policies.get_mut(policy.as_str()).ok_or_else(gone)?;
                own.versions.get(&version).ok_or_else(gone)?;
                own.default = version;
            }
            Write::DeleteVersion { policy, version } => {
                let own = world.policies.get_mut(policy.as_str()).ok_or_else(gone)?;
                assert_ne!(own.default, version);
                own.versions.remove(&version).ok_or_else(gone)?;
            }
            Write::CreatePolicy { name, document } => {
                let arn = format!("arn:aws:iam::111122223333:policy/{name}");
                if world.policies.contains_key(&arn) {
                    return Err(CallError::Refused {
                        code: "EntityAlreadyExists".to_owned(),
                        message: name,
                        permission: None,
                    });
                }
                world.made += 1;
                let unique_id = format!("ANPAMADE{}", world.made);
                let versions = BTreeMap::from([("v1".to_owned(), document)]);
                let own = Policy { unique_id: unique_id.clone(), default: "v1".to_owned(), versions, next: 1 };
                world.policies.insert(arn, own);
                wrote.unique_id = Some(unique_id);
            }
            Write::DeletePolicy { policy } => {
                assert!(!world.attached.values().flatten().any(|own| own == policy.as_str()));
                world.policies.remove(policy.as_str()).ok_or_else(gone)?;
            }
            Write::Attach { entity, policy } => {
                let list = world.attached.entry(entity.to_string()).or_default();
                if !list.contains(&policy.to_string()) {
                    list.push(policy.to_string());
                }
            }
            Write::Detach { entity, policy } => {
                let list = world.attached.entry(entity.to_string()).or_default();
                let at = list.iter().position(|own| own == policy.as_str()).ok_or_else(gone)?;
                list.remove(at);
            }
            Write::SetKey { user, key, active } => {
                let status = if active { "Active" } else { "Inactive" };
                world.keys.insert((user, key), status.to_owned());
            }
        }
        Ok(wrote)
    }
}

impl Writes for Sim {
    fn turn(&self, _: &'static str) {}

    fn perform(&self, intended: &Intended) -> Result<Wrote, CallError> {
        let number = {
            let mut calls = self.calls.borrow_mut();
            calls.push(intended.write().operation());
            calls.len() - 1
        };
        if let Some(meddling) = &*self.meddling.borrow()
            && meddling.before_write == number
        {
            (meddling.act)(&mut self.world.borrow_mut());
        }
        self.fate.pass();
        self.arrive();
        let fault = self.faults.borrow_mut().get_mut(number).and_then(Option::take);
        let result = match fault {
            None => self.perform_now(intended.write()),
            Some(Fault::Throttle) => Err(CallError::Throttled("Rate exceeded".to_owned())),
            Some(Fault::NotReached) => Err(CallError::Ambiguous("connection reset".to_owned())),
            Some(Fault::Late(seconds)) => {
                self.late.borrow_mut().push((*self.clock.borrow() + seconds, intended.write().clone()));
                Err(CallError::Ambiguous("timed out".to_owned()))
            }
            Some(Fault::Lost) => {
                self.perform_now(intended.write())?;
                Err(CallError::Ambiguous("connection reset".to_owned()))
            }
            Some(Fault::Refused(code)) => {
                Err(CallError::Refused { code: code.to_owned(), message: "no".to_owned(), permission: None })
            }
        };
        self.fate.pass();
        result
    }
}

impl Reads for Sim {
    fn entity(&self, entity: &EntityRef) -> Result<Option<String>, CallError> {
        Ok(self.look(|world| world.entities.get(&entity.to_string()).cloned()))
    }
    fn members(&self, group: &str) -> Result<Vec<LiveEntity>, CallError> {
        if let Some(act) = self.as_members_are_read.take() {
            act(&mut self.world.borrow_mut());
        }
        Ok(self.look(|world| {
            let members = world.members.get(group).cloned().unwrap_or_default();
            let live = |name: String| {
                let entity = EntityRef { kind: EntityKind::User, name };
                let unique_id = world.entities.get(&entity.to_string()).cloned().unwrap_or_default();
                LiveEntity { entity, unique_id }
            };
            members.into_iter().map(live).collect()
        }))
    }
    fn inline(&self, entity: &EntityRef, policy: &str) -> Result<Option<String>, CallError> {
        Ok(self.look(|world| world.inline.get(&(entity.to_string(), policy.to_owned())).cloned()))
    }
    fn attached(&self, entity: &EntityRef) -> Result<Option<Vec<Arn>>, CallError> {
        Ok(self.look(|world| {
            let list = world.attached.get(&entity.to_string()).cloned().unwrap_or_default();
            let arns = list.iter().map(|arn| arn.parse().unwrap()).collect();
            world.entities.contains_key(&entity.to_string()).then_some(arns)
        }))
    }
    fn policy(&self, policy: &Arn) -> Result<Option<LivePolicy>, CallError> {
        Ok(self.look(|world| {
            world.policies.get(policy.as_str()).map(|own| LivePolicy {
                unique_id: own.unique_id.clone(),
                default_version: own.default.clone(),
                versions: own.versions.keys().cloned().collect(),
                boundary_count: 0,
            })
        }))
    }
    fn attached_to(&self, policy: &Arn) -> Result<Vec<LiveEntity>, CallError> {
        Ok(self.look(|world| {
            let has = |list: &Vec<String>| list.iter().any(|own| own == policy.as_str());
            let holders = world.attached.iter().filter(|(_, list)| has(list)).map(|(entity, _)| entity);
            let live = |address: &String| LiveEntity {
                entity: EntityRef::of_address(address).unwrap(),
                unique_id: world.entities.get(address).cloned().unwrap_or_default(),
            };
            holders.map(live).collect()
        }))
    }
    fn version(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError> {
        Ok(self.look(|world| world.policies.get(policy.as_str()).and_then(|own| own.versions.get(version).cloned())))
    }
    fn key(&self, user: &str, key: &str) -> Result<Option<LiveKey>, CallError> {
        Ok(self.look(|world| {
            let status = world.keys.get(&(user.to_owned(), key.to_owned())).cloned();
            status.map(|status| LiveKey { status, created: Some(UnixTime(1_000)) })
        }))
    }
    fn attachments_quota(&self, _: EntityKind) -> Result<Option<usize>, CallError> {
        Ok(Some(4))
    }
}

impl Clock for Sim {
    fn now(&self) -> UnixTime {
        UnixTime(*self.clock.borrow())
    }
    fn sleep(&self, time: Duration) {
        *self.clock.borrow_mut() += i64::try_from(time.as_secs()).unwrap().max(1);
    }
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// A disk that may lose what was not synced.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub written: Shared<Vec<u8>>,
    pub synced: Shared<usize>,
    pub fate: Fate,
    /// How many bytes it takes.
    pub room: Option<usize>,
    /// How many syncs are left until one fails.
    pub syncs: Option<Shared<usize>>,
    /// Whether nothing can be taken away either.
    pub is_stuck: bool,
}

impl Store for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.fate.pass();
        let mut written = self.written.borrow_mut();
        let room = self.room.map_or(bytes.len(), |room| room.saturating_sub(written.len()).min(bytes.len()));
        written.extend_from_slice(&bytes[..room]);
        if room < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        self.fate.pass();
        if let Some(left) = &self.syncs {
            let mut left = left.borrow_mut();
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => {
                    // The next one works again: what a failed one lost is not told twice.
                    *left = usize::MAX;
                    return Err(io::Error::other("I/O error"));
                }
            }
        }
        *self.synced.borrow_mut() = self.written.borrow().len();
        Ok(())
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if self.is_stuck {
            return Err(io::Error::other("I/O error"));
        }
        let length = usize::try_from(length).unwrap();
        self.written.borrow_mut().truncate(length);
        let mut synced = self.synced.borrow_mut();
        *synced = length.min(*synced);
        Ok(())
    }
}
