//! Roles: names for sets of permissions.

use crate::FieldError;
use pierhead_model::{Permission, Role, RoleName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Body of `POST /api/roles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
}

/// Body of `PUT /api/roles/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PermissionsRequest {
    /// What it may do from then on.
    pub permissions: Vec<String>,
}

/// A role as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleDetail {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Whether it is one of those that nobody can change or delete.
    pub built_in: bool,
}

impl RoleRequest {
    /// The role that is meant.
    ///
    /// # Errors
    /// Names the field: a name that none can have, or a permission that there is not.
    pub fn parse(&self) -> Result<Role, FieldError> {
        let name = RoleName::parse(&self.name).map_err(|invalid| FieldError::of("name", &invalid))?;
        Ok(Role { name, permissions: parse(&self.permissions)? })
    }
}

impl PermissionsRequest {
    /// The permissions that are meant.
    ///
    /// # Errors
    /// Names the permission that there is not.
    pub fn parse(&self) -> Result<BTreeSet<Permission>, FieldError> {
        parse(&self.permissions)
    }
}

impl From<&Role> for RoleDetail {
    fn from(role: &Role) -> Self {
        Self {
            name: role.name.0.clone(),
            permissions: role.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
            built_in: role.is_built_in(),
        }
    }
}

fn parse(names: &[String]) -> Result<BTreeSet<Permission>, FieldError> {
    let named = |(at, name): (usize, &String)| {
        Permission::named(name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let known = Permission::ALL.map(Permission::as_str).join(", ");
            FieldError {
                field: format!("permissions[{at}]"),
                message: format!("there is no permission {name:?}; there are {known}"),
            }
        })
    };
    names.iter().enumerate().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_permission_is_named() {
        let request = |permissions: &[&str]| RoleRequest {
            name: "tutor".to_owned(),
            permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
        };
        let role = request(&["read-events", "read-engines", "read-events"]).parse().unwrap();
        assert_eq!(RoleDetail::from(&role).permissions, ["read-engines", "read-events"]);
        let refused = request(&["read-events", "fly"]).parse().unwrap_err();
        assert_eq!(refused.field, "permissions[1]");
        assert!(refused.message.contains("\"fly\"") && refused.message.contains("write-accounts"), "{refused:?}");
        assert_eq!(RoleRequest { name: "../x".to_owned(), permissions: vec![] }.parse().unwrap_err().field, "name");
    }
}
