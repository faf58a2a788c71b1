//! Examples of accounts, roles and tokens.

use super::{Example, MOMENT};
use crate::{
    AccountRequest, AccountView, LogIn, LogInWays, LoggedIn, PasswordChange, PermissionsRequest, RoleChange,
    RoleDetail, RoleRequest, RoleView, SessionView, TicketRequest, TicketView, TokenCreated, TokenRequest, TokenView,
};

const PASSWORD: &str = "correct horse battery";
const TOKEN: &str = "k3JxWb7mQz1Rv0TtYc5N8uEa2HsLd4Gf";

fn tutor() -> RoleView {
    RoleView { name: "tutor".to_owned() }
}

fn permissions() -> Vec<String> {
    vec!["read-engines".to_owned(), "read-containers".to_owned()]
}

impl Example for LogIn {
    fn example() -> Self {
        Self { username: "clare".to_owned(), password: PASSWORD.to_owned() }
    }
}

impl Example for LogInWays {
    fn example() -> Self {
        Self { provider: Some("School".to_owned()) }
    }
}

impl Example for LoggedIn {
    fn example() -> Self {
        Self {
            token: TOKEN.to_owned(),
            username: "clare".to_owned(),
            role: "user".to_owned(),
            expires_at: MOMENT.to_owned(),
        }
    }
}

impl Example for PasswordChange {
    fn example() -> Self {
        Self { username: "clare".to_owned(), password: PASSWORD.to_owned(), current: Some("tr0ub4dor".to_owned()) }
    }
}

impl Example for AccountRequest {
    fn example() -> Self {
        Self {
            username: Some("clare".to_owned()),
            password: Some(PASSWORD.to_owned()),
            role: Some(RoleView { name: "user".to_owned() }),
            ..Self::default()
        }
    }
}

impl Example for RoleChange {
    fn example() -> Self {
        Self { role: tutor() }
    }
}

impl Example for AccountView {
    fn example() -> Self {
        Self {
            id: "5b2f9c0d".to_owned(),
            username: "clare".to_owned(),
            role: tutor(),
            name: "Clare Xu".to_owned(),
            source: "roster".to_owned(),
            suspended: false,
            created_at: MOMENT.to_owned(),
        }
    }
}

impl Example for RoleRequest {
    fn example() -> Self {
        Self { name: "tutor".to_owned(), permissions: permissions() }
    }
}

impl Example for PermissionsRequest {
    fn example() -> Self {
        Self { permissions: permissions() }
    }
}

impl Example for RoleDetail {
    fn example() -> Self {
        Self { name: "tutor".to_owned(), permissions: permissions(), built_in: false }
    }
}

impl Example for TokenRequest {
    fn example() -> Self {
        Self { name: "CI of the web shop".to_owned(), expires_in: Some("30d".to_owned()) }
    }
}

impl Example for SessionView {
    fn example() -> Self {
        Self {
            username: "clare".to_owned(),
            role: "tutor".to_owned(),
            permissions: permissions(),
            expires_at: Some(MOMENT.to_owned()),
        }
    }
}

impl Example for TicketRequest {
    fn example() -> Self {
        Self { resource: "/api/events/stream".to_owned() }
    }
}

impl Example for TicketView {
    fn example() -> Self {
        Self { ticket: TOKEN.to_owned(), expires: MOMENT.to_owned() }
    }
}

impl Example for TokenCreated {
    fn example() -> Self {
        Self {
            id: "9f86d081884c7d65".to_owned(),
            name: "CI of the web shop".to_owned(),
            token: TOKEN.to_owned(),
            expires_at: Some(MOMENT.to_owned()),
        }
    }
}

impl Example for TokenView {
    fn example() -> Self {
        Self {
            id: "9f86d081884c7d65".to_owned(),
            name: "CI of the web shop".to_owned(),
            username: "clare".to_owned(),
            created_at: MOMENT.to_owned(),
            expires_at: Some(MOMENT.to_owned()),
            last_used_at: Some(MOMENT.to_owned()),
            current: false,
            session: false,
        }
    }
}
