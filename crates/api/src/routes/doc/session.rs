//! Sessions of browsers, tickets, and the certificate authority.

use crate::describe::Doc;
use pierhead_wire::{LogIn, SessionView, TicketRequest, TicketView};

const FOREIGN: &str = "A browser's change that does not come from a page of this server";

pub fn open() -> Doc {
    Doc::new("open_session", "Log a browser in")
        .about("The token is in a cookie that no script can read. The limits on attempts are those of `/auth/login`.")
        .takes::<LogIn>()
        .answers::<SessionView>(200, "Who is logged in")
        .sends(200, "Set-Cookie", "The session: HttpOnly, SameSite=Strict, with TLS Secure, good for 12 hours")
        .refuses(401, "unauthenticated", "The name or the password is wrong")
        .refuses(403, "foreign_origin", FOREIGN)
        .refuses(403, "suspended", "The password is right, and the account suspended")
        .refuses(429, "too_many_attempts", "Too many attempts of this account or from this address")
        .refuses(503, "hash_failed", "The password could not be checked")
}

pub fn show() -> Doc {
    Doc::new("show_session", "Who am I")
        .answers::<SessionView>(200, "Whose session or token it is, and what they may do")
        .refuses(403, "foreign_origin", "Another site made a browser ask")
}

pub fn close() -> Doc {
    Doc::new("close_session", "Log a browser out")
        .nothing("The session is worth nothing any more; its cookie is taken away")
        .sends(204, "Set-Cookie", "An empty cookie")
        .refuses(403, "foreign_origin", FOREIGN)
        .refuses(400, "no_session", "The request was made with a token, not in a session")
        .refuses(404, "not_found", "Somebody else revoked it at the same time")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn give_ticket() -> Doc {
    Doc::new("give_ticket", "Get a ticket for a stream")
        .about(
            "For browsers, whose streams cannot send headers. It opens the stream of that path once, within 30 s, with \
             the rights that the asker has then; it ends with the asker's token.",
        )
        .takes::<TicketRequest>()
        .answers::<TicketView>(201, "The ticket")
        .refuses(403, "foreign_origin", FOREIGN)
        .refuses(429, "too_many_tickets", "Too many tickets wait to be used")
}

pub fn authority() -> Doc {
    Doc::new("show_authority", "The certificate of the pool's own authority")
        .about(
            "It signs the server's certificate with `--tls-self-signed`. Compare its fingerprint before you trust it.",
        )
        .answers_text("application/x-pem-file", "The certificate, PEM", "-----BEGIN CERTIFICATE-----\n")
        .refuses(404, "other_authority", "The server's certificate is of an authority that is not its own")
}
