//! Users, groups and roles: what differs between them in names.

use crate::emulator::wire::Error;

/// What can bear policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
}

impl Kind {
    /// All of them, in the order of the pages of the authorization details.
    pub const ALL: [Self; 3] = [Self::User, Self::Role, Self::Group];

    /// As it begins the names of operations: `User`.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// As it stands in ARNs and messages: `user`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// As it stands in the entities of reports: `USER`.
    pub const fn shout(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Group => "GROUP",
            Self::Role => "ROLE",
        }
    }

    /// The parameter and the member that hold the name: `UserName`.
    pub const fn name_member(self) -> &'static str {
        match self {
            Self::User => "UserName",
            Self::Group => "GroupName",
            Self::Role => "RoleName",
        }
    }

    /// The member that holds the unique id: `UserId`.
    pub const fn id_member(self) -> &'static str {
        match self {
            Self::User => "UserId",
            Self::Group => "GroupId",
            Self::Role => "RoleId",
        }
    }

    /// The beginning of unique ids.
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
        }
    }

    /// How long a name may be.
    pub const fn longest_name(self) -> usize {
        match self {
            Self::User | Self::Role => 64,
            Self::Group => 128,
        }
    }

    /// The error for a name that nobody has.
    pub fn missing(self, name: &str) -> Error {
        Error::no_such_entity(format!("The {} with name {name} cannot be found.", self.word()))
    }

    /// The error for a name that is taken.
    pub fn taken(self, name: &str) -> Error {
        Error::already_exists(format!("{} with name {name} already exists.", self.noun()))
    }
}
