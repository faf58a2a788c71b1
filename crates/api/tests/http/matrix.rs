//! Every operation of the document × who asks × whose it is. It grows with the document; what is seen must be what the
//! document's `x-permission` and `x-owner-unless` say, and what people have read and agreed to in `matrix/agreed.txt`.

#[cfg(feature = "mutants")]
mod mutants;
mod stage;

use crate::openapi::{Operation, operations};
use stage::{Caller, Stage};

const AGREED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/matrix/agreed.txt");

const HEAD: &str = "\
# Every operation, what it takes, and the status that each caller gets: about what is their own, and about others'
# (where that makes a difference). `nothing` has no permissions at all, `reader` may read everything.
# 400, 404, 409 and the like are met behind the door: the caller was let in. A test fails when this is not so any more;
# see whether the change is meant, then renew it: UPDATE=1 cargo nextest run -p pierhead-api the_matrix
";

/// What a caller should meet at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    LetIn,
    Unauthenticated,
    Forbidden,
    /// Somebody else's: forbidden, or as if it were not there.
    NotTheirs,
}

impl Rule {
    fn of(operation: &Operation, caller: &Caller, is_own: bool) -> Self {
        let needed = operation.value["x-permission"].as_str().unwrap();
        let owner_unless = operation.value["x-owner-unless"].as_str();
        match needed {
            "public" => Self::LetIn,
            "scraper" => Self::Unauthenticated,
            _ if caller.name.is_empty() => Self::Unauthenticated,
            "logged-in" => Self::of_owner(caller, is_own, owner_unless),
            // Of two permissions one will do.
            needed if needed.split(" or ").any(|one| caller.may(one)) => Self::of_owner(caller, is_own, owner_unless),
            _ => Self::Forbidden,
        }
    }

    fn of_owner(caller: &Caller, is_own: bool, unless: Option<&str>) -> Self {
        match unless {
            Some(permission) if !is_own && !caller.may(permission) => Self::NotTheirs,
            _ => Self::LetIn,
        }
    }

    fn allows(self, status: u16) -> bool {
        match self {
            Self::LetIn => ![401, 403].contains(&status) && status < 500,
            Self::Unauthenticated => status == 401,
            Self::Forbidden => status == 403,
            Self::NotTheirs => [403, 404].contains(&status),
        }
    }
}

/// One line of the matrix, and what is not as the rule says.
async fn line(stage: &mut Stage, operation: &Operation) -> (String, Vec<String>) {
    let what = format!("{} {}", operation.method, operation.path);
    let is_owned = operation.value["x-owner-unless"].is_string();
    let (mut cells, mut broken) = (Vec::new(), Vec::new());
    for caller in stage.callers() {
        let mut seen = Vec::new();
        // Nobody in particular owns nothing, and where there are no owners once is enough.
        let asked: &[bool] = match (caller.name.is_empty(), is_owned) {
            (true, _) => &[false],
            (false, true) => &[true, false],
            (false, false) => &[true],
        };
        for &is_own in asked {
            let status = stage.ask(operation, &caller, is_own).await;
            let rule = Rule::of(operation, &caller, is_own);
            if !rule.allows(status) {
                let whose = if is_own { "their own" } else { "others'" };
                broken.push(format!("{what} of {} about {whose}: {status}, but {rule:?}", caller.role));
            }
            seen.push(status.to_string());
        }
        cells.push(format!("{} {}", caller.role, seen.join("/")));
    }
    let needed = operation.value["x-permission"].as_str().unwrap();
    (format!("{what:<56} {needed:<30} {}", cells.join("  ")), broken)
}

#[tokio::test]
async fn the_matrix_is_what_the_document_says_and_what_was_agreed() {
    let mut stage = Stage::set().await;
    let (mut text, mut broken) = (HEAD.to_owned(), Vec::new());
    for operation in operations() {
        let (line, found) = line(&mut stage, &operation).await;
        text.push_str(line.trim_end());
        text.push('\n');
        broken.extend(found);
    }
    assert!(broken.is_empty(), "not as the document says:\n{}", broken.join("\n"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(AGREED, &text).unwrap();
    }
    let agreed = std::fs::read_to_string(AGREED).unwrap_or_default();
    let news: Vec<&str> = text.lines().filter(|line| !agreed.lines().any(|known| known == *line)).collect();
    assert!(
        text == agreed,
        "not what was agreed in tests/http/matrix/agreed.txt, which tells how to renew it: {news:#?}"
    );
}
