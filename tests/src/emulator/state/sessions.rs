//! Who calls: users by their access keys, roles by sessions, the root user by the operator's key.

use std::collections::BTreeMap;

use crate::emulator::time::Time;

/// Who stands behind a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The root user: may everything.
    Root,
    /// A user, by unique id.
    User(String),
    /// A session of a role, by the role's unique id.
    Role(String),
}

/// The caller of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// The ARN, as `GetCallerIdentity` answers it.
    pub arn: String,
    /// The `UserId` of `GetCallerIdentity`.
    pub user_id: String,
    /// The access key that signed.
    pub access_key: String,
    /// The Region of the call.
    pub region: String,
}

impl Caller {
    /// Who may read the jobs that this caller starts: the user, or the role within this very session.
    pub fn owner(&self) -> String {
        match &self.identity {
            Identity::Root => String::from("root"),
            Identity::User(id) => id.clone(),
            Identity::Role(_) => format!("{} {}", self.user_id, self.access_key),
        }
    }

    /// The unique id of the entity whose usage this is.
    pub fn entity_id(&self) -> Option<&str> {
        match &self.identity {
            Identity::Root => None,
            Identity::User(id) | Identity::Role(id) => Some(id),
        }
    }
}

/// Temporary credentials.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub identity: Identity,
    /// The name of the session.
    pub name: String,
    /// The token that calls must bear.
    pub token: String,
    /// When it ends, by the emulator's clock.
    pub expires: Time,
}

/// All sessions, by access key.
#[derive(Clone, Debug, Default)]
pub struct Sessions(pub BTreeMap<String, Session>);

impl Sessions {
    /// Ends the session of an access key, or all of them; returns how many.
    pub fn expire(&mut self, access_key: Option<&str>, now: Time) -> usize {
        let mut ended = 0;
        for (key, session) in &mut self.0 {
            if access_key.is_none_or(|wanted| wanted == key) {
                session.expires = session.expires.min(now);
                ended += 1;
            }
        }
        ended
    }
}
