//! Accounts, roles, and what a role may do.

use crate::{Invalid, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A person or program that may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Unique for ever.
    pub id: String,
    /// The name to log in with.
    pub username: Username,
    /// The password, hashed (Argon2id, PHC text).
    pub password_hash: String,
    /// What it may do.
    pub role: RoleName,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The name of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(pub String);

/// A stored record: a name and the permissions that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
}

/// Something that a role may do. Every route names the one that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See engines.
    ReadEngines,
    /// Add, change and remove engines.
    WriteEngines,
    /// See the pool's totals.
    ReadCluster,
    /// See apps, containers and operations.
    ReadContainers,
    /// Run apps, and change one's own.
    WriteContainers,
    /// Change everybody's apps and containers, also those that are not Pierhead's.
    WriteAllContainers,
    /// Run containers with the host's network or paths.
    RunPrivileged,
    /// Read the event log.
    ReadEvents,
    /// List, add and delete accounts.
    WriteAccounts,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 9] = [
        Self::ReadEngines,
        Self::WriteEngines,
        Self::ReadCluster,
        Self::ReadContainers,
        Self::WriteContainers,
        Self::WriteAllContainers,
        Self::RunPrivileged,
        Self::ReadEvents,
        Self::WriteAccounts,
    ];
}

impl Role {
    /// The role that may do everything.
    pub const ADMIN: &'static str = "admin";
    /// The role of a developer: sees the pool, runs apps, changes their own.
    pub const USER: &'static str = "user";

    /// The roles that are there from the first start.
    #[must_use]
    pub fn built_in() -> [Self; 2] {
        use Permission::{ReadCluster, ReadContainers, ReadEngines, ReadEvents, WriteContainers};
        let role = |name: &str, permissions: &[Permission]| Self {
            name: RoleName(name.to_owned()),
            permissions: permissions.iter().copied().collect(),
        };
        [
            role(Self::ADMIN, &Permission::ALL),
            role(Self::USER, &[ReadEngines, ReadCluster, ReadContainers, WriteContainers, ReadEvents]),
        ]
    }
}

/// A token that somebody was given; the token itself is not kept, only its hash, which is the record's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Whose it is.
    pub username: Username,
    /// When it was given.
    pub created_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Account {
    /// Checks that a password is one that we accept.
    ///
    /// # Errors
    /// [`Invalid`] if it is shorter than 8 or longer than 256 characters or holds control characters.
    pub fn check_password(password: &str) -> Result<(), Invalid> {
        let length = password.chars().count();
        if (8..=256).contains(&length) && !password.chars().any(char::is_control) {
            Ok(())
        } else {
            Err(Invalid::new("password", "8 to 256 characters without control characters"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_may_everything_and_the_user_changes_no_engines() {
        let [admin, user] = Role::built_in();
        assert_eq!(admin.permissions.len(), Permission::ALL.len());
        assert!(user.permissions.contains(&Permission::WriteContainers));
        for refused in [
            Permission::WriteEngines,
            Permission::WriteAccounts,
            Permission::RunPrivileged,
            Permission::WriteAllContainers,
        ] {
            assert!(!user.permissions.contains(&refused), "{refused:?}");
        }
    }

    #[test]
    fn passwords_have_bounds() {
        assert!(Account::check_password("12345678").is_ok());
        assert!(Account::check_password("1234567").is_err());
        assert!(Account::check_password(&"x".repeat(257)).is_err());
        assert!(Account::check_password("1234567\n8").is_err());
    }
}
