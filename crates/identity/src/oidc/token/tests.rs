use super::*;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::json;

const NOW: u64 = 1_795_299_000;
const ISSUER: &str = "https://id.school.example";

/// Whoever signs: its key of each kind.
struct Signer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        // Made for these tests; it opens nothing.
        let rsa = STANDARD.decode(include_str!("rsa-of-tests.b64").trim()).unwrap();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: RsaKeyPair::from_pkcs8(&rsa).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).unwrap(),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
        }
    }

    fn modulus(&self) -> Vec<u8> {
        RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public()).n
    }

    fn published(&self) -> Vec<Value> {
        let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let point = self.p256.public_key().as_ref();
        vec![
            json!({ "kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256",
                "n": text(&rsa.n),
                "e": text(&rsa.e) }),
            json!({ "kty": "EC", "kid": "e", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) }),
            json!({ "kty": "OKP", "kid": "d", "crv": "Ed25519", "x": text(self.ed25519.public_key()) }),
        ]
    }

    fn keys(&self) -> Keys {
        keys_of(&self.published())
    }

    fn sign(&self, algorithm: &str, signed: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match algorithm {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            "ES256" => self.p256.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(signed.as_bytes()).as_ref().to_vec(),
            other => panic!("nothing signs by {other}"),
        }
    }

    /// A token by one algorithm whose header says what it likes.
    fn token(&self, algorithm: &str, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
        let signature = text(self.sign(algorithm, &signed));
        format!("{signed}.{signature}")
    }
}

fn keys_of(published: &[Value]) -> Keys {
    Keys::parse(json!({ "keys": published }).to_string().as_bytes()).unwrap()
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "pierhead", "sub": "42", "nonce": "n-1", "iat": NOW - 5, "exp": NOW + 300, "name": "Li" })
}

fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client_id: "pierhead", nonce: "n-1", now_s: NOW }
}

fn judged(token: &str, keys: &Keys) -> Result<Map<String, Value>, TokenError> {
    verify(token, keys, &expected())
}

#[test]
fn tokens_of_each_algorithm_are_believed_and_no_others() {
    let (signer, keys) = (Signer::new(), Signer::new());
    for (algorithm, key) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "d")] {
        let header = json!({ "alg": algorithm, "kid": key, "typ": "JWT" });
        let token = signer.token(algorithm, &header, &claims());
        assert_eq!(judged(&token, &signer.keys()).unwrap()["sub"], "42", "{algorithm}");
        let unnamed = signer.token(algorithm, &json!({ "alg": algorithm }), &claims());
        assert!(judged(&unnamed, &signer.keys()).is_ok(), "{algorithm}");
        if algorithm != "RS256" {
            assert_eq!(judged(&token, &keys.keys()), Err(TokenError::Signature), "{algorithm} by somebody else");
        }
        let (body, _) = token.rsplit_once('.').unwrap();
        let other = signer.token(algorithm, &header, &json!({ "sub": "43" }));
        let swapped = format!("{body}.{}", other.rsplit_once('.').unwrap().1);
        assert_eq!(judged(&swapped, &signer.keys()), Err(TokenError::Signature), "{algorithm} of another text");
        assert_eq!(judged(&format!("{body}."), &signer.keys()), Err(TokenError::Signature), "{algorithm} of nothing");
    }
}

#[test]
fn a_header_makes_no_other_key_of_a_key() {
    let signer = Signer::new();
    let none = format!("{}.{}.", text(json!({ "alg": "none" }).to_string()), text(claims().to_string()));
    assert_eq!(judged(&none, &signer.keys()), Err(TokenError::Algorithm));
    // What is public of a key, taken for the secret of another kind.
    let modulus = signer.modulus();
    for secret in [modulus, signer.rsa.public_key().as_ref().to_vec(), signer.published()[0].to_string().into_bytes()] {
        let signed =
            format!("{}.{}", text(json!({ "alg": "HS256", "kid": "r" }).to_string()), text(claims().to_string()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        let token = format!("{signed}.{}", text(signature));
        assert_eq!(judged(&token, &signer.keys()), Err(TokenError::Algorithm));
    }
    for (algorithm, header, refused) in [
        ("RS256", json!({ "alg": "rs256" }), TokenError::Algorithm),
        ("RS256", json!({ "alg": "NONE" }), TokenError::Algorithm),
        ("RS256", json!({ "alg": "RS512", "kid": "r" }), TokenError::Algorithm),
        ("RS256", json!({ "alg": "ES256", "kid": "r" }), TokenError::NoKey),
        ("ES256", json!({ "alg": "RS256", "kid": "e" }), TokenError::NoKey),
        ("ES256", json!({ "alg": "EdDSA" }), TokenError::Signature),
        ("RS256", json!({ "alg": "RS256", "kid": "gone" }), TokenError::NoKey),
        ("RS256", json!({ "alg": "RS256", "kid": "r", "crit": ["exp"] }), TokenError::Malformed),
        ("RS256", json!({ "kid": "r" }), TokenError::Malformed),
        ("RS256", json!([]), TokenError::Malformed),
    ] {
        let token = signer.token(algorithm, &header, &claims());
        assert_eq!(judged(&token, &signer.keys()), Err(refused), "{header}");
    }
}

#[test]
fn keys_are_for_signatures_and_of_a_length() {
    let signer = Signer::new();
    let token = signer.token("RS256", &json!({ "alg": "RS256", "kid": "r" }), &claims());
    let with = |field: &str, value: &str| {
        let mut key = signer.published().swap_remove(0);
        key[field] = json!(value);
        judged(&token, &keys_of(&[key])).map(drop)
    };
    assert_eq!(with("use", "sig"), Ok(()));
    assert_eq!(with("use", "enc"), Err(TokenError::NoKey));
    assert_eq!(with("alg", "RSA-OAEP"), Err(TokenError::NoKey));
    assert_eq!(with("kty", "oct"), Err(TokenError::NoKey));
    assert_eq!(with("n", "!"), Err(TokenError::NoKey));
    assert_eq!(with("n", &text([255; 64])), Err(TokenError::Signature), "512 bits are no key");
    let mut padded = vec![0];
    padded.extend(signer.modulus());
    assert_eq!(with("n", &text(padded)), Ok(()), "a zero before it changes no number");
    assert!(Keys::parse(b"{}").is_none() && Keys::parse(b"[]").is_none());
    let mixed = [json!(5), json!({ "kty": "EC", "crv": "P-384" })].into_iter().chain(signer.published());
    assert!(judged(&token, &keys_of(&mixed.collect::<Vec<_>>())).is_ok(), "others beside it do no harm");
}

#[test]
fn each_wrong_claim_is_refused() {
    use TokenError::{Audience, Early, Expired, Issuer, Malformed, Nonce, Subject};
    let signer = Signer::new();
    let with = |field: &str, value: &Value| {
        let mut claims = claims();
        claims[field] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(field);
        }
        let token = signer.token("EdDSA", &json!({ "alg": "EdDSA", "kid": "d" }), &claims);
        judged(&token, &signer.keys()).map(drop)
    };
    for (field, value, expected) in [
        ("iss", json!(format!("{ISSUER}/")), Err(Issuer)),
        ("iss", json!("https://evil.example"), Err(Issuer)),
        ("iss", Value::Null, Err(Issuer)),
        ("aud", json!("other"), Err(Audience)),
        ("aud", json!([]), Err(Audience)),
        ("aud", json!(["other"]), Err(Audience)),
        ("aud", json!(["pierhead"]), Ok(())),
        ("aud", json!(["pierhead", "other"]), Err(Audience)),
        ("aud", Value::Null, Err(Audience)),
        ("azp", json!("pierhead"), Ok(())),
        ("azp", json!("other"), Err(Audience)),
        ("exp", json!(NOW - 59), Ok(())),
        ("exp", json!(NOW - 60), Err(Expired)),
        ("exp", json!("never"), Err(Malformed)),
        ("exp", Value::Null, Err(Malformed)),
        ("iat", json!(NOW + 60), Ok(())),
        ("iat", json!(NOW + 61), Err(Early)),
        ("iat", json!(NOW - 659), Ok(())),
        ("iat", json!(NOW - 660), Err(Expired)),
        ("iat", json!(NOW as f64 - 0.5), Ok(())),
        ("iat", Value::Null, Err(Malformed)),
        ("nbf", json!(NOW + 60), Ok(())),
        ("nbf", json!(NOW + 61), Err(Early)),
        ("nonce", json!("n-2"), Err(Nonce)),
        ("nonce", Value::Null, Err(Nonce)),
        ("sub", json!(""), Err(Subject)),
        ("sub", json!(42), Err(Subject)),
        ("sub", json!("x".repeat(256)), Err(Subject)),
        ("sub", Value::Null, Err(Subject)),
    ] {
        assert_eq!(with(field, &value), expected, "{field}: {value}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let signer = Signer::new();
    let good = signer.token("EdDSA", &json!({ "alg": "EdDSA" }), &claims());
    for bad in ["", ".", "..", "a.b.c", "eyJ.eyJ.x", &format!("{good}.x"), &format!("{good}="), &"x".repeat(70_000)] {
        assert_eq!(judged(bad, &signer.keys()), Err(TokenError::Malformed), "{bad:.40}");
    }
    let list = signer.token("EdDSA", &json!({ "alg": "EdDSA" }), &json!(["iss"]));
    assert_eq!(judged(&list, &signer.keys()), Err(TokenError::Malformed));
}

proptest! {
    #[test]
    fn whatever_is_changed_of_a_token_is_refused(at in 0_usize..10_000, to in "[A-Za-z0-9_.-]") {
        let signer = Signer::new();
        let good = signer.token("EdDSA", &json!({ "alg": "EdDSA", "kid": "d" }), &claims());
        let at = at % good.len();
        let bad = format!("{}{to}{}", &good[..at], &good[at + 1..]);
        prop_assert_eq!(judged(&bad, &signer.keys()).is_ok(), bad == good);
    }

    #[test]
    fn no_text_is_a_token(text in ".{0,200}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let keys = Signer::new().keys();
        prop_assert!(judged(&text, &keys).is_err());
        prop_assert!(judged(&parts.join("."), &keys).is_err());
    }

    #[test]
    fn no_text_breaks_the_reading_of_keys(text in ".{0,200}", field in "[a-z]{1,4}", value in ".{0,50}") {
        drop(Keys::parse(text.as_bytes()));
        let mut key = Signer::new().published().swap_remove(2);
        key[field.as_str()] = json!(value);
        let keys = keys_of(&[key]);
        let signature = [0; 64];
        prop_assert_ne!(keys.check(Algorithm::EdDsa, Some("d"), b"x", &signature), Some(true));
    }
}
