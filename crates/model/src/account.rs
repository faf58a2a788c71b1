//! Accounts, roles, and what a role may do.

use crate::ids::is_plain_word;
use crate::{Invalid, Timestamp, Username};
use serde::{Deserialize, Deserializer, Serialize};
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
    /// What it may do, and where. Records of old have one `role` in its place, which counts everywhere.
    #[serde(alias = "role", deserialize_with = "read_grants")]
    pub grants: Vec<Grant>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changes with the password: tokens of another epoch are worth nothing. Never that of another account, also not of
    /// one that had this name before.
    #[serde(default)]
    pub token_epoch: String,
    /// What the person is called; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub full_name: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Origin::is_here")]
    pub source: Origin,
    /// Since when nobody can log in with it. What it owns stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<Timestamp>,
    /// Whether the school's list suspended it, and may let it in again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended_by_roster: bool,
    /// Tells the password that the school's list had last from others; empty if it had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub roster_password: String,
}

/// Where an account, a course or an enrolment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody made it here.
    #[default]
    Here,
    /// The school's own list.
    Roster,
}

impl Origin {
    /// Whether somebody made it here.
    #[must_use]
    pub fn is_here(&self) -> bool {
        *self == Self::Here
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Roster => "roster",
        }
    }
}

/// A role that an account has somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: RoleName,
    /// Where it counts.
    pub scope: Scope,
}

/// Where a role counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// In the whole pool.
    Cluster,
}

fn read_grants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Grant>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Role(RoleName),
        Grants(Vec<Grant>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Role(role) => vec![Grant { role, scope: Scope::Cluster }],
        Written::Grants(grants) => grants,
    })
}

/// The name of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(pub String);

impl RoleName {
    /// Parses the name of a role.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 1 to 63 letters, digits, `.`, `_` and `-` that start with a letter or digit.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if is_plain_word(text, 63) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("role name", "1 to 63 letters, digits, '.', '_' and '-', starting with a letter or digit"))
        }
    }
}

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
    /// Change everybody's apps, containers and image archives, also containers that are not Pierhead's.
    WriteAllContainers,
    /// Run containers with the host's network or paths.
    RunPrivileged,
    /// Send in image archives, spread them, and delete one's own.
    WriteImages,
    /// Read the event log.
    ReadEvents,
    /// List, add, change and delete accounts, roles and everybody's tokens; never beyond what one may oneself.
    WriteAccounts,
    /// See and work through the labs that one may see, and use the workspaces of these.
    ReadLabs,
    /// Write labs.
    WriteLabs,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 12] = [
        Self::ReadEngines,
        Self::WriteEngines,
        Self::ReadCluster,
        Self::ReadContainers,
        Self::WriteContainers,
        Self::WriteAllContainers,
        Self::RunPrivileged,
        Self::WriteImages,
        Self::ReadEvents,
        Self::WriteAccounts,
        Self::ReadLabs,
        Self::WriteLabs,
    ];

    /// Its name in records and requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadEngines => "read-engines",
            Self::WriteEngines => "write-engines",
            Self::ReadCluster => "read-cluster",
            Self::ReadContainers => "read-containers",
            Self::WriteContainers => "write-containers",
            Self::WriteAllContainers => "write-all-containers",
            Self::RunPrivileged => "run-privileged",
            Self::WriteImages => "write-images",
            Self::ReadEvents => "read-events",
            Self::WriteAccounts => "write-accounts",
            Self::ReadLabs => "read-labs",
            Self::WriteLabs => "write-labs",
        }
    }

    /// The permission of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }
}

impl Role {
    /// The role that may do everything.
    pub const ADMIN: &'static str = "admin";
    /// The role of a developer: sees the pool, runs apps, changes their own.
    pub const USER: &'static str = "user";
    /// The role of somebody who writes labs and gives courses.
    pub const TEACHER: &'static str = "teacher";
    /// The role of somebody who helps in courses.
    pub const ASSISTANT: &'static str = "assistant";
    /// The role of somebody who takes courses: works through labs, and may nothing else.
    pub const STUDENT: &'static str = "student";
    /// The roles that a school's list may give.
    pub const OF_SCHOOLS: [&'static str; 3] = [Self::TEACHER, Self::ASSISTANT, Self::STUDENT];

    /// Whether it is one of those that nobody can change or delete.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        [Self::ADMIN, Self::USER].into_iter().chain(Self::OF_SCHOOLS).any(|name| name == self.name.0)
    }

    /// The roles that are there from the first start.
    #[must_use]
    pub fn built_in() -> [Self; 5] {
        use Permission::{
            ReadCluster, ReadContainers, ReadEngines, ReadEvents, ReadLabs, WriteContainers, WriteImages, WriteLabs,
        };
        let of_user =
            [ReadEngines, ReadCluster, ReadContainers, WriteContainers, WriteImages, ReadEvents, ReadLabs, WriteLabs];
        let role = |name: &str, permissions: &[Permission]| Self {
            name: RoleName(name.to_owned()),
            permissions: permissions.iter().copied().collect(),
        };
        [
            role(Self::ADMIN, &Permission::ALL),
            role(Self::USER, &of_user),
            role(Self::TEACHER, &[ReadContainers, WriteContainers, ReadLabs, WriteLabs]),
            role(Self::ASSISTANT, &[ReadLabs]),
            role(Self::STUDENT, &[ReadLabs]),
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
    /// From when on it is worth nothing; [`TokenRecord::NEVER`] for one that does not expire.
    pub expires_at: Timestamp,
    /// What its owner calls it, or the program that logged in.
    #[serde(default)]
    pub name: String,
    /// When it was used, to some minutes; none if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The account's [`Account::token_epoch`] when it was given.
    #[serde(default)]
    pub epoch: String,
    /// How it must be shown.
    #[serde(default)]
    pub kind: TokenKind,
    /// Whether it was given for a password: of these an account has only so many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_log_in: bool,
}

/// How a token must be shown to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// In a header, by a program.
    #[default]
    Token,
    /// In a cookie, by a browser.
    Session,
}

impl TokenRecord {
    /// The end of a token that does not expire.
    pub const NEVER: Timestamp = Timestamp(u64::MAX);

    /// Whether it is worth something for an account at a moment.
    #[must_use]
    pub fn is_good(&self, account: &Account, now: Timestamp) -> bool {
        let is_of = self.username == account.username && self.epoch == account.token_epoch;
        is_of && now < self.expires_at && account.suspended_at.is_none()
    }
}

impl Account {
    /// Its role in the whole pool, if it has one.
    #[must_use]
    pub fn role(&self) -> Option<&RoleName> {
        self.grants.iter().find(|grant| grant.scope == Scope::Cluster).map(|grant| &grant.role)
    }

    /// Whether its role is one that a school's list may give: such accounts are for people at school only.
    #[must_use]
    pub fn is_of_school(&self) -> bool {
        self.role().is_some_and(|role| Role::OF_SCHOOLS.contains(&role.0.as_str()))
    }

    /// Whether it may do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role().is_some_and(|role| role.0 == Role::ADMIN)
    }

    /// Gives it another role in the whole pool; other grants stay.
    #[must_use]
    pub fn with_role(mut self, role: RoleName) -> Self {
        self.grants.retain(|grant| grant.scope != Scope::Cluster);
        self.grants.insert(0, Grant { role, scope: Scope::Cluster });
        self
    }

    /// Checks that a password is one that we accept.
    ///
    /// # Errors
    /// [`Invalid`] if it is shorter than 8 or longer than 256 characters or holds control characters.
    pub fn check_password(password: &str) -> Result<(), Invalid> {
        let length = password.chars().count();
        let is_blank = password.trim().is_empty();
        if (8..=256).contains(&length) && !is_blank && !password.chars().any(char::is_control) {
            Ok(())
        } else {
            Err(Invalid::new("password", "8 to 256 characters without control characters, not only spaces"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_may_everything_and_the_user_changes_no_engines() {
        let [admin, user, ..] = Role::built_in();
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
        assert!(Account::check_password(&" ".repeat(12)).is_err());
    }

    fn account(grants: &str) -> serde_json::Result<Account> {
        let record = r#"{"id":"1","username":"ann","password_hash":"x","created_at":5,GRANTS}"#;
        serde_json::from_str(&record.replace("GRANTS", grants))
    }

    #[test]
    fn records_of_old_with_one_role_can_be_read() {
        let old = account(r#""role":"admin""#).unwrap();
        assert!(old.is_admin() && old.token_epoch.is_empty());
        let written = serde_json::to_string(&old).unwrap();
        assert!(written.contains(r#""grants":[{"role":"admin","scope":"cluster"}]"#), "{written}");
        assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), old);
        let token: TokenRecord = serde_json::from_str(r#"{"username":"ann","created_at":5,"expires_at":9}"#).unwrap();
        assert!(token.is_good(&old, Timestamp(8)) && !token.is_good(&old, Timestamp(9)));
        assert!(!token.is_good(&Account { token_epoch: "2".to_owned(), ..old }, Timestamp(8)));
    }

    #[test]
    fn an_account_has_one_role_in_the_pool_or_none() {
        let none = account(r#""grants":[]"#).unwrap();
        assert!(none.role().is_none() && !none.is_admin());
        let user = none.with_role(RoleName("admin".to_owned())).with_role(RoleName("user".to_owned()));
        assert_eq!((user.grants.len(), user.role().unwrap().0.as_str()), (1, "user"));
        assert!(account(r#""grants":[{"role":"user","scope":"moon"}]"#).is_err());
    }

    #[test]
    fn permissions_have_the_names_of_their_records() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
            assert_eq!(Permission::named(permission.as_str()), Some(permission));
        }
        assert_eq!(Permission::named("write-everything"), None);
        assert!(RoleName::parse("tutor").is_ok() && RoleName::parse("a/b").is_err() && RoleName::parse("").is_err());
    }
}
