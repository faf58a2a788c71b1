//! How accounts look.

use super::table;
use pierhead_wire::AccountView;

/// What `account ls` prints.
pub(crate) fn list(accounts: &[AccountView], width: Option<u16>) -> String {
    let row = |account: &AccountView| {
        vec![account.username.clone(), account.role.name.clone(), account.created_at.clone(), account.id.clone()]
    };
    table(&["USER", "ROLE", "CREATED", "ID"], accounts.iter().map(row), width)
}
