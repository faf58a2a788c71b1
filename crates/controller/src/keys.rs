//! Where each record lies in the store.

use pierhead_model::{AppId, AppName, EngineId, OperationId, SlotKey, Username};

/// Records of engines.
pub const ENGINES: &str = "spec/engines/";
/// Records of apps.
pub const APPS: &str = "spec/apps/";
/// The app of each name: what makes a name unique.
pub const APP_NAMES: &str = "spec/app-names/";
/// Where slots live.
pub const ASSIGNMENTS: &str = "assignments/";
/// Requests that take time.
pub const OPERATIONS: &str = "operations/";
/// Which operation a retried request is about.
pub const IDEMPOTENCY: &str = "idempotency/";
/// Accounts.
pub const ACCOUNTS: &str = "accounts/";
/// Roles.
pub const ROLES: &str = "roles/";
/// Hashes of tokens.
pub const TOKENS: &str = "tokens/";
/// The event log.
pub const EVENTS: &str = "events/";

/// The key of an engine's record.
#[must_use]
pub fn engine(id: &EngineId) -> String {
    format!("{ENGINES}{id}")
}

/// The key of an app's record.
#[must_use]
pub fn app(id: &AppId) -> String {
    format!("{APPS}{id}")
}

/// The key that makes an app's name unique.
#[must_use]
pub fn app_name(name: &AppName) -> String {
    format!("{APP_NAMES}{name}")
}

/// The key of an assignment.
#[must_use]
pub fn assignment(slot: &SlotKey) -> String {
    format!("{ASSIGNMENTS}{}/{}", slot.app, slot.slot)
}

/// The key of an operation.
#[must_use]
pub fn operation(id: &OperationId) -> String {
    format!("{OPERATIONS}{id}")
}

/// The key of a retried request. The client's own key goes in hashed: it may hold anything.
#[must_use]
pub fn idempotency(actor: &Username, hashed_key: &str) -> String {
    format!("{IDEMPOTENCY}{actor}/{hashed_key}")
}

/// The key of an account.
#[must_use]
pub fn account(name: &Username) -> String {
    format!("{ACCOUNTS}{name}")
}

/// The key of a role.
#[must_use]
pub fn role(name: &str) -> String {
    format!("{ROLES}{name}")
}

/// The key of a token's record.
#[must_use]
pub fn token(hash: &str) -> String {
    format!("{TOKENS}{hash}")
}

/// The key of an event.
#[must_use]
pub fn event(id: &str) -> String {
    format!("{EVENTS}{id}")
}
