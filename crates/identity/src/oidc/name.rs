//! Whose account somebody comes for, by what a provider says of them.

use super::OidcSettings;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_model::Username;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The claim of mail addresses, which anybody may have written there unless the provider says that it looked.
const EMAIL: &str = "email";
/// The longest name of a person that is kept, in characters.
const LONGEST_NAME: usize = 200;

/// Somebody of whom a provider told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcPerson {
    /// Tells them from everybody else, at every provider, for ever: a digest of the issuer and of their number there.
    pub subject: String,
    /// The account that they are to have, or why it is not known.
    pub name: Result<Username, NameProblem>,
    /// What the person is called; may be empty.
    pub full_name: String,
}

/// Why it is not known which account somebody is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameProblem {
    /// The provider does not tell the claim.
    Missing,
    /// It does not know whether the mail address is theirs.
    Unverified,
    /// The address is of a domain that is not the school's.
    OtherDomain,
    /// No account can be called so.
    NotAName,
}

impl OidcPerson {
    /// Nothing if they have no number.
    pub(super) fn of(claims: &Map<String, Value>, settings: &OidcSettings) -> Option<Self> {
        let number = claims.get("sub").and_then(Value::as_str)?;
        let digest = Sha256::new().chain_update(&settings.issuer).chain_update("\n").chain_update(number).finalize();
        let full_name = claims.get("name").and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            subject: URL_SAFE_NO_PAD.encode(digest),
            name: name(claims, settings),
            full_name: full_name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
        })
    }
}

fn name(claims: &Map<String, Value>, settings: &OidcSettings) -> Result<Username, NameProblem> {
    let value = claims.get(&settings.claim).and_then(Value::as_str).filter(|value| !value.is_empty());
    let value = value.ok_or(NameProblem::Missing)?;
    let name = match value.rsplit_once('@') {
        None if settings.claim == EMAIL => return Err(NameProblem::NotAName),
        None => value.to_owned(),
        Some((name, domain)) => {
            if !settings.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain)) {
                return Err(NameProblem::OtherDomain);
            }
            // Addresses mean the same in whatever case they are written.
            name.to_lowercase()
        }
    };
    if settings.claim == EMAIL && !is_true(claims.get("email_verified")) {
        return Err(NameProblem::Unverified);
    }
    Username::parse(&name).map_err(|_| NameProblem::NotAName)
}

/// Some providers write it as a text.
fn is_true(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Bool(true))) || value.and_then(Value::as_str) == Some("true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn settings(claim: &str) -> OidcSettings {
        OidcSettings {
            issuer: "https://id.school.example".to_owned(),
            client_id: "pierhead".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            claim: claim.to_owned(),
            domains: vec!["school.example".to_owned()],
            create: None,
            name: String::new(),
        }
    }

    fn person(claim: &str, claims: Value) -> Option<OidcPerson> {
        OidcPerson::of(claims.as_object().unwrap(), &settings(claim))
    }

    #[test]
    fn the_claim_names_the_account() {
        use NameProblem::{Missing, NotAName, OtherDomain, Unverified};
        let email =
            |address: &str, verified: Value| json!({ "sub": "1", "email": address, "email_verified": verified });
        let plain = |name: Value| json!({ "sub": "1", "preferred_username": name, "email": "admin@school.example" });
        for (claim, claims, expected) in [
            ("preferred_username", plain(json!("li")), Ok("li")),
            ("preferred_username", plain(json!("li@school.example")), Ok("li")),
            ("preferred_username", plain(json!("li@evil.example")), Err(OtherDomain)),
            ("preferred_username", plain(json!("admin@school.example@evil.example")), Err(OtherDomain)),
            ("preferred_username", plain(json!("")), Err(Missing)),
            ("preferred_username", plain(json!(5)), Err(Missing)),
            ("preferred_username", plain(json!("../admin")), Err(NotAName)),
            ("upn", plain(json!("li")), Err(Missing)),
            ("email", email("Li.Wei@School.example", json!(true)), Ok("li.wei")),
            ("email", email("li@school.example", json!("true")), Ok("li")),
            ("email", email("li@school.example", json!(false)), Err(Unverified)),
            ("email", email("li@school.example", Value::Null), Err(Unverified)),
            ("email", email("li@school.example.evil.example", json!(true)), Err(OtherDomain)),
            ("email", email("li", json!(true)), Err(NotAName)),
            ("email", email("li+x@school.example", json!(true)), Err(NotAName)),
        ] {
            let found = person(claim, claims.clone()).unwrap().name;
            assert_eq!(found.as_ref().map(Username::as_str), expected.as_ref().map(|name| *name), "{claim}: {claims}");
        }
    }

    #[test]
    fn somebody_is_the_same_at_one_provider_only() {
        let subject = |sub: &str| person("email", json!({ "sub": sub })).unwrap().subject;
        assert!(subject("1") == subject("1") && subject("1") != subject("2"));
        let elsewhere = OidcSettings { issuer: "https://id.other.example".to_owned(), ..settings("email") };
        assert_ne!(
            OidcPerson::of(json!({ "sub": "1" }).as_object().unwrap(), &elsewhere).unwrap().subject,
            subject("1")
        );
        assert!(person("email", json!({ "name": "Li" })).is_none());
        assert_eq!(person("email", json!({ "sub": "1", "name": "Li\n Wei" })).unwrap().full_name, "Li Wei");
    }

    proptest! {
        #[test]
        fn nobody_of_another_domain_is_anybody(
            local in "[A-Za-z0-9@._-]{0,20}",
            domain in "[a-z@.]{0,20}",
            verified in any::<bool>(),
        ) {
            let address = format!("{local}@{domain}");
            let is_ours = address.to_lowercase().rsplit('@').next() == Some("school.example");
            let claims = json!({ "sub": "1", "email": address, "email_verified": verified, "upn": address });
            for claim in ["email", "upn"] {
                let found = person(claim, claims.clone()).unwrap().name;
                prop_assert!(found.is_err() || is_ours, "{claim}: {address}");
                prop_assert!(found.is_err() || verified || claim == "upn", "{claim}: {address}");
            }
        }

        #[test]
        fn whatever_is_claimed_is_an_account_or_none(value in ".{0,80}", name in ".{0,300}") {
            let found = person("upn", json!({ "sub": "1", "upn": value, "name": name })).unwrap();
            prop_assert!(found.full_name.chars().count() <= LONGEST_NAME);
            prop_assert!(!found.full_name.chars().any(char::is_control));
            if let Ok(account) = found.name {
                prop_assert_eq!(Username::parse(account.as_str()), Ok(account.clone()));
                prop_assert!(value.starts_with(account.as_str()) || value.contains('@'));
            }
        }
    }
}
