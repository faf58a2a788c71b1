//! Coming in by links, and by a provider of log-ins.

use crate::describe::{Doc, Kind};
use pierhead_wire::LogInWays;

const PAGES: &str = "Browsers (`Accept: text/html`) are answered with pages, also where it is refused.";
const COOKIE: &str = "The session, as of `POST /auth/session`";

pub fn show_link() -> Doc {
    Doc::new("show_link", "Ask whether to log in by a link that somebody made")
        .about("The page sends its form to `POST /auth/link`; looking at a link does not use it up.")
        .must("key", Kind::Like("k3JxWb7mQz1Rv0TtYc5N8uEa2HsLd4Gf"), "The secret of the link")
        .answers_text("text/html; charset=utf-8", "A page with a button", "<!doctype html>")
}

pub fn use_link() -> Doc {
    Doc::new("use_link", "Log a browser in by a link that somebody made")
        .about(PAGES)
        .takes_bytes("application/x-www-form-urlencoded", "`key`, the secret of the link")
        .leads_on("To the console, logged in")
        .sends(303, "Location", "The console")
        .sends(303, "Set-Cookie", COOKIE)
        .refuses(403, "foreign_origin", "A form that does not come from a page of this server")
        .refuses(403, "suspended", "The account is suspended")
        .refuses(410, "link_gone", "The link was used, has expired, or never was one")
}

pub fn redirect() -> Doc {
    Doc::new("redirect", "Log a browser in by a link of the school's site")
        .about(&format!(
            "The link is good once and for 120 seconds. `sig` is the HMAC-SHA256 of the query before `&sig=`, byte for byte, \
             with the key that both sites have (`--redirect-key-file`), as 64 hexadecimal digits. {PAGES}"
        ))
        .must("user", Kind::Like("li"), "The name of the account")
        .query("course", Kind::Like("cs-101"), "The course that they come for; they must have to do with it")
        .query("lab", Kind::Like("mysql"), "The lab that they come for; that course must show it to them")
        .must("time", Kind::Like("1795299000"), "When the link was made, in seconds since 1970")
        .must("nonce", Kind::Like("b2f1c7e0d4a5968877665544"), "16 to 64 letters, digits, `-` and `_` that no other link has")
        .must("sig", Kind::Like("af8b89400b1f2142a4e51d3562d23e94dd8ec8754e34133a14fa2018cf60ae34"), "The signature; it comes last")
        .leads_on("To the lab, logged in")
        .sends(303, "Location", "The page of the console")
        .sends(303, "Set-Cookie", COOKIE)
        .refuses(400, "malformed_link", "It lacks something, or something has not the accepted form")
        .refuses(400, "clock_ahead", "It was made more than 60 seconds in the future")
        .refuses(400, "forged_link", "The signature is that of another key, or of something else")
        .refuses(403, "foreign_course", "They do not take that course")
        .refuses(403, "password_only", "The account may do more than those of a school")
        .refuses(403, "suspended", "The account is suspended")
        .refuses(404, "no_redirect", "This server takes no such links")
        .refuses(404, "unknown_person", "There is no such account")
        .refuses(404, "no_lab", "The course does not show that lab now")
        .refuses(410, "expired_link", "It was made more than 120 seconds ago")
        .refuses(410, "used_link", "It was used")
}

pub fn ways() -> Doc {
    Doc::new("log_in_ways", "By what one may log in beside a password")
        .answers::<LogInWays>(200, "The provider, if there is one")
}

pub fn start_oidc() -> Doc {
    Doc::new("start_oidc", "Begin to log a browser in by the provider of log-ins")
        .about(&format!(
            "OpenID Connect: authorization code with PKCE. What belongs to the log-in is in a cookie, sealed, for ten minutes. {PAGES}"
        ))
        .query("to", Kind::Like("/labs"), "The place of the console that they want to")
        .leads_on("To the provider")
        .sends(303, "Location", "The provider's page")
        .sends(303, "Set-Cookie", "What belongs to the log-in: HttpOnly, SameSite=Lax, with TLS Secure")
        .refuses(404, "no_provider", "This server has none")
        .refuses(503, "provider_away", "The provider does not answer, or not as it should")
        .refuses(503, "seal_failed", "Nothing can be sealed")
}

pub fn finish_oidc() -> Doc {
    Doc::new("finish_oidc", "Log a browser in that comes back from the provider")
        .about(&format!(
            "The provider sends `state` and `code`, or `error`, and perhaps `iss`; whatever else it sends is ignored. {PAGES}"
        ))
        .leads_on("To the console, logged in")
        .sends(303, "Location", "The place of the console")
        .sends(303, "Set-Cookie", COOKIE)
        .refuses(400, "not_begun", "This browser began no log-in")
        .refuses(400, "foreign_answer", "It is not the answer to the log-in that this browser began")
        .refuses(403, "denied", "The provider let nobody in")
        .refuses(403, "not_believed", "What the provider says can't be believed: signature, issuer, audience, times, nonce")
        .refuses(403, "no_name", "It does not tell which account they have, or has not verified it")
        .refuses(403, "other_person", "The account is that of somebody else at the provider")
        .refuses(403, "password_only", "The account administers something, and was not known to be theirs")
        .refuses(403, "suspended", "The account is suspended")
        .refuses(404, "no_provider", "This server has none")
        .refuses(404, "unknown_person", "There is no such account")
        .refuses(409, "left_over", "A deleted account of that name left something")
        .refuses(410, "expired_log_in", "It took more than ten minutes")
        .refuses(410, "used_answer", "It was used")
        .refuses(410, "code_refused", "The provider does not take its code any more")
        .refuses(429, "too_many_attempts", "Too many attempts from this address")
        .refuses(503, "provider_away", "The provider does not answer, or not as it should")
}
