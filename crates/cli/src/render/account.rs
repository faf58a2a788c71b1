//! How accounts, roles and tokens look.

use super::{fields, table};
use pierhead_wire::{AccountView, RoleDetail, SessionView, TokenView};

/// What `account ls` prints.
pub(crate) fn list(accounts: &[AccountView], width: Option<u16>) -> String {
    let row = |account: &AccountView| {
        let state = if account.suspended { "suspended" } else { "" };
        let AccountView { username, role, name, created_at, id, .. } = account.clone();
        vec![username, role.name, name, state.to_owned(), created_at, id]
    };
    table(&["USER", "ROLE", "NAME", "STATE", "CREATED", "ID"], accounts.iter().map(row), width)
}

/// What `role ls` prints.
pub(crate) fn roles(roles: &[RoleDetail], width: Option<u16>) -> String {
    let row = |role: &RoleDetail| {
        let kind = if role.built_in { "built in" } else { "made" };
        vec![role.name.clone(), kind.to_owned(), role.permissions.join(", ")]
    };
    table(&["ROLE", "KIND", "PERMISSIONS"], roles.iter().map(row), width)
}

/// What `role show` prints.
pub(crate) fn role(role: &RoleDetail) -> String {
    let kind = if role.built_in { "built in" } else { "made" };
    let none = || vec!["none".to_owned()];
    let permissions = if role.permissions.is_empty() { none() } else { role.permissions.clone() };
    let first = [("role", role.name.clone()), ("kind", kind.to_owned())];
    // The name once, and then one permission below the other.
    let rest = permissions.into_iter().enumerate().map(|(at, name)| (if at == 0 { "permissions" } else { "" }, name));
    fields(&first.into_iter().chain(rest).collect::<Vec<_>>())
}

/// What `token ls` prints.
pub(crate) fn tokens(tokens: &[TokenView], width: Option<u16>) -> String {
    let row = |token: &TokenView| {
        let marks = [(token.session, "browser"), (token.current, "this one")];
        let marks: Vec<&str> = marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark)).collect();
        let name = if marks.is_empty() { token.name.clone() } else { format!("{} ({})", token.name, marks.join(", ")) };
        let or = |time: &Option<String>| time.clone().unwrap_or_else(|| "never".to_owned());
        vec![token.id.clone(), token.username.clone(), name, or(&token.last_used_at), or(&token.expires_at)]
    };
    table(&["ID", "USER", "NAME", "LAST USED", "EXPIRES"], tokens.iter().map(row), width)
}

/// What `whoami` prints.
pub(crate) fn whoami(me: &SessionView, server: &str) -> String {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let end = me.expires_at.clone().unwrap_or_else(|| "never".to_owned());
    fields(&[
        ("user", me.username.clone()),
        ("role", or_none(&me.role)),
        ("permissions", or_none(&me.permissions.join(", "))),
        ("server", server.to_owned()),
        ("token ends", end),
    ])
}
