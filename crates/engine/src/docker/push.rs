//! Sending an image to a registry. An engine says that all is well before it begins; how it ended stands in what it tells.

use super::{Docker, failure};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::request::RegistryAuth;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::stream::StreamExt;
use pierhead_model::ImageReference;

impl Docker {
    pub(super) async fn tagged(&self, image: &ImageReference, name: &ImageReference) -> Result<()> {
        let (repository, tag) = parts(name)?;
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        let tagged = self.call(Verb::Tag, self.deadlines.of(Verb::Tag, 0), |client| {
            let options = options.clone();
            async move { client.tag_image(image.as_str(), Some(options)).await }
        });
        match tagged.await {
            Err(EngineError::NotFound) => Err(EngineError::NoImage(image.to_string())),
            tagged => tagged,
        }
    }

    /// Pushes, as long as something is told within each deadline.
    pub(super) async fn pushed(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<String> {
        let idle = self.deadlines.push_idle;
        let client = self.within(Verb::Push, idle, self.wire.client()).await?;
        let (repository, tag) = parts(image)?;
        let options = PushImageOptionsBuilder::new().tag(tag).build();
        let mut told = std::pin::pin!(client.push_image(repository, Some(options), auth.map(credentials)));
        let mut found = None;
        loop {
            let next = async { Ok(told.next().await) };
            match self.within(Verb::Push, idle, next).await? {
                Some(Ok(message)) => found = message.status.as_deref().and_then(digest).or(found),
                Some(Err(error)) => return Err(failure::classify(Verb::Push, error)),
                None => break,
            }
        }
        found.ok_or_else(|| EngineError::Failed(format!("it does not tell the digest of {image}, which it pushed")))
    }
}

/// An account as engines are told it.
pub(super) fn credentials(auth: &RegistryAuth) -> DockerCredentials {
    DockerCredentials {
        username: Some(auth.username.clone()),
        password: Some(auth.password.clone()),
        serveraddress: Some(auth.server.clone()).filter(|server| !server.is_empty()),
        ..DockerCredentials::default()
    }
}

/// A name in two: repository and tag.
fn parts(name: &ImageReference) -> Result<(&str, &str)> {
    let tag = name.as_str().strip_prefix(name.repository()).and_then(|rest| rest.strip_prefix(':'));
    let tag = tag.filter(|tag| !tag.contains('@'));
    tag.map(|tag| (name.repository(), tag))
        .ok_or_else(|| EngineError::Refused(format!("{name} must be a repository and a tag, without a digest")))
}

/// The digest in the last line about a push: `TAG: digest: sha256:... size: 528`.
fn digest(status: &str) -> Option<String> {
    let (_, rest) = status.split_once(": digest: ")?;
    let digest = rest.split_whitespace().next()?;
    let digits = digest.strip_prefix("sha256:")?;
    let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_stands_in_the_last_line() {
        let whole = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(digest(&format!("s-1-main: digest: {whole} size: 528")), Some(whole.clone()));
        for other in ["Pushed", "Layer already exists", "", "s: digest: sha256:0f size: 1", "s: digest: "] {
            assert_eq!(digest(other), None, "{other}");
        }
        assert_eq!(digest(&whole), None, "nothing says what it is of");
    }

    #[test]
    fn a_name_is_a_repository_and_a_tag() {
        let of = |name: &str| ImageReference::parse(name).unwrap();
        let name = of("r.lan:5000/a/pierhead/save:x-1-main");
        assert_eq!(parts(&name).unwrap(), ("r.lan:5000/a/pierhead/save", "x-1-main"));
        assert_eq!(parts(&of("r.lan:5000/a")).unwrap(), ("r.lan:5000/a", "latest"));
        let digest = "0f".repeat(32);
        for bad in [format!("a@sha256:{digest}"), format!("a:1@sha256:{digest}")] {
            let refused = parts(&of(&bad)).unwrap_err();
            assert!(matches!(&refused, EngineError::Refused(why) if why.contains("must be a repository")), "{bad}");
        }
    }
}
