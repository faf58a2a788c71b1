//! Log-in, accounts, roles and tokens.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAccounts;
use pierhead_wire::{
    AccountRequest, AccountView, LinkRequest, LinkView, LogIn, LoggedIn, PasswordChange, PermissionsRequest,
    RoleChange, RoleDetail, RoleRequest, TokenCreated, TokenRequest, TokenView,
};

const BEYOND: &str = "It would give or take more than the caller has";
const LAST_ADMIN: &str = "The last administrator stays one";

pub fn log_in() -> Doc {
    Doc::new("log_in", "Log in")
        .about("A wrong name and a wrong password are told in the same words and the same time.")
        .takes::<LogIn>()
        .answers::<LoggedIn>(200, "The token, which is shown this once")
        .refuses(401, "unauthenticated", "The name or the password is wrong")
        .refuses(403, "suspended", "The password is right, and the account suspended")
        .refuses(429, "too_many_attempts", "Too many attempts of this account or from this address")
        .refuses(503, "hash_failed", "The password could not be checked")
}

pub fn change_password() -> Doc {
    Doc::new("change_password", "Change a password")
        .about(
            "One's own, or for who administers accounts anybody's. It ends all other tokens of the account. In a browser's \
             session one's own takes the present one too (`current`), which counts as an attempt to log in if it is wrong.",
        )
        .takes::<PasswordChange>()
        .nothing("It is changed")
        .owners_or(WriteAccounts)
        .refuses(403, "forbidden", "It is somebody else's, or they may more than the caller")
        .refuses(403, "wrong_password", "The present password is not the one in current")
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "conflict", "Somebody changed the account meanwhile")
        .refuses(429, "too_many_attempts", "Too many attempts of this account or from this address")
        .refuses(503, "hash_failed", "The password could not be hashed")
}

pub fn list_accounts() -> Doc {
    Doc::new("list_accounts", "List the accounts").lists::<AccountView>("All accounts, never with a password or token")
}

pub fn add_account() -> Doc {
    Doc::new("add_account", "Add an account")
        .takes::<AccountRequest>()
        .nothing("It is added")
        .once()
        .refuses(403, "forbidden", BEYOND)
        .refuses(409, "exists", "There is an account of that name or id")
        .refuses(409, "name_owns_things", "A deleted account of that name left apps or images, and inherit is not true")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
        .refuses(503, "hash_failed", "The password could not be hashed")
}

pub fn delete_account() -> Doc {
    deletes(Doc::new("delete_account", "Delete an account named in the body").takes::<AccountRequest>())
}

pub fn delete_named_account() -> Doc {
    deletes(Doc::new("delete_named_account", "Delete an account").path("username", "Its name"))
}

fn deletes(doc: Doc) -> Doc {
    doc.nothing("It is gone, with its tokens")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "last_admin", LAST_ADMIN)
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn set_role() -> Doc {
    Doc::new("set_role_of_account", "Give an account another role")
        .path("username", "Its name")
        .takes::<RoleChange>()
        .nothing("It has the role")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "last_admin", LAST_ADMIN)
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn suspend() -> Doc {
    Doc::new("suspend_account", "Suspend an account")
        .about("Nobody can log in with it, and its tokens and sessions are worth nothing for ever. What it owns stays.")
        .path("username", "Its name")
        .nothing("It is suspended")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "last_admin", LAST_ADMIN)
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn resume() -> Doc {
    Doc::new("resume_account", "Let a suspended account in again")
        .path("username", "Its name")
        .nothing("It can log in")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn link() -> Doc {
    Doc::new("give_link", "Make a link with which somebody logs in once")
        .about("For who has no password, or forgot it. Whoever has the link can use it: it is shown this once.")
        .path("username", "The account's name")
        .takes::<LinkRequest>()
        .answers::<LinkView>(201, "The link")
        .refuses(403, "forbidden", BEYOND)
        .refuses(403, "suspended", "The account is suspended")
        .refuses(404, "not_found", "There is no such account")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn list_tokens() -> Doc {
    Doc::new("list_tokens", "List tokens")
        .about("One's own, unless asked for others, which only who administers accounts may.")
        .query("username", Kind::Like("clare"), "Whose")
        .query("all", Kind::Flag, "Everybody's")
        .lists::<TokenView>("Tokens, never with what one logs in by")
        .refuses(403, "forbidden", "They are somebody else's")
}

pub fn create_token() -> Doc {
    Doc::new("create_token", "Make a token for a program")
        .takes::<TokenRequest>()
        .answers::<TokenCreated>(201, "The token, which is shown this once")
        .refuses(403, "forbidden", "Only who administers accounts may have tokens that never expire")
        .once()
        .refuses(409, "token_given", "A repetition: the token was told in the first answer, and is told only once")
        .refuses(404, "not_found", "The account was deleted meanwhile")
        .refuses(409, "too_many_tokens", "The account has 100 good tokens already")
        .refuses(409, "conflict", "Somebody changed the account meanwhile")
}

pub fn revoke_token() -> Doc {
    Doc::new("revoke_token", "Revoke a token")
        .path("id", "Its id, or `current` for the one of this request, which logs out")
        .nothing("It is worth nothing any more")
        .owners_or(WriteAccounts)
        .refuses(403, "forbidden", "It is somebody else's who may more than the caller")
        .refuses(404, "not_found", "There is no such token, or it is somebody else's")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn list_roles() -> Doc {
    Doc::new("list_roles", "List the roles").lists::<RoleDetail>("All roles")
}

pub fn show_role() -> Doc {
    Doc::new("show_role", "Show a role").path("name", "Its name").answers::<RoleDetail>(200, "The role").refuses(
        404,
        "not_found",
        "There is no such role",
    )
}

pub fn add_role() -> Doc {
    Doc::new("add_role", "Make a role")
        .takes::<RoleRequest>()
        .nothing("It is made")
        .once()
        .refuses(403, "forbidden", BEYOND)
        .refuses(409, "exists", "There is a role of that name")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn change_role() -> Doc {
    Doc::new("change_role", "Change what a role may do")
        .path("name", "Its name")
        .takes::<PermissionsRequest>()
        .nothing("It is changed, for everybody who has it")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such role")
        .refuses(409, "built_in", "The built-in roles stay as they are")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn delete_role() -> Doc {
    Doc::new("delete_role", "Delete a role")
        .path("name", "Its name")
        .nothing("It is gone")
        .refuses(403, "forbidden", BEYOND)
        .refuses(404, "not_found", "There is no such role")
        .refuses(409, "built_in", "The built-in roles stay")
        .refuses(409, "role_in_use", "Somebody has it")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}
