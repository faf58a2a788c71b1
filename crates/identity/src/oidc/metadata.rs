//! What a provider tells of itself: its discovery document.

use super::address::Address;
use super::http::Http;
use serde::Deserialize;

/// Where a provider does what.
#[derive(Debug)]
pub(super) struct Metadata {
    /// Where browsers are sent.
    pub authorization: Address,
    /// Where codes are exchanged.
    pub token: Address,
    /// Where its keys are.
    pub keys: Address,
    /// Where it tells more about somebody.
    pub userinfo: Option<Address>,
    /// Whether this server shows who it is in a header, not in the form.
    pub takes_basic: bool,
    /// Whether its answers say that they are its own.
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Asks a provider; else why it does not tell.
    pub async fn ask(http: &Http, issuer: &Address, name: &str) -> Result<Self, String> {
        let place = issuer.discovery();
        let answer = http.get(&place, None).await?;
        if !answer.status.is_success() {
            return Err(format!("{place} answers {}", answer.status));
        }
        Self::read(&answer.body, issuer, name).map_err(|why| format!("{place}: {why}"))
    }

    fn read(text: &[u8], issuer: &Address, name: &str) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(text).map_err(|error| format!("it is no discovery document: {error}"))?;
        if document.issuer != name {
            return Err(format!("it is the issuer {:?}, not {name:?}", super::excerpt(&document.issuer)));
        }
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Self {
            authorization: issuer.named(&document.authorization_endpoint)?,
            token: issuer.named(&document.token_endpoint)?,
            keys: issuer.named(&document.jwks_uri)?,
            userinfo: document.userinfo_endpoint.map(|text| issuer.named(&text)).transpose()?,
            takes_basic: methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://id.school.example";

    fn read(change: impl FnOnce(&mut Value)) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.school.example/auth",
            "token_endpoint": "https://id.school.example/token",
            "jwks_uri": "https://keys.school.example/jwks",
        });
        change(&mut document);
        Metadata::read(document.to_string().as_bytes(), &Address::of_issuer(ISSUER).unwrap(), ISSUER)
    }

    #[test]
    fn what_is_not_told_is_as_the_standard_says() {
        let metadata = read(|_| {}).unwrap();
        assert!(metadata.takes_basic && !metadata.names_itself && metadata.userinfo.is_none());
        let post = read(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"])).unwrap();
        assert!(!post.takes_basic);
        assert!(read(|it| it["authorization_response_iss_parameter_supported"] = json!(true)).unwrap().names_itself);
    }

    #[test]
    fn another_issuer_and_other_addresses_are_refused() {
        for (field, value, told) in [
            ("issuer", json!("https://id.school.example/"), "it is the issuer"),
            ("issuer", json!("https://evil.example"), "it is the issuer"),
            ("token_endpoint", json!("http://127.0.0.1:2375/"), "which is not https://"),
            ("jwks_uri", json!("http://id.school.example/jwks"), "which is not https://"),
            ("userinfo_endpoint", json!("file:///etc/passwd"), "which is not https://"),
            ("authorization_endpoint", json!("javascript:alert(1)"), "which is not https://"),
            ("token_endpoint", Value::Null, "no discovery document"),
        ] {
            let refused = read(|it| it[field] = value.clone()).unwrap_err();
            assert!(refused.contains(told), "{field}={value}: {refused}");
        }
    }
}
