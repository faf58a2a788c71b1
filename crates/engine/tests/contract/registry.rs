//! Images on their way to a registry that asks for a password, and back.

use crate::Case;
use crate::bed::{Bed, Kind, PATIENCE, SAMPLE, silent};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pierhead_engine::{EngineError, RegistryAuth};
use pierhead_model::ImageReference;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// On both engines.
pub const CASES: &[Case] =
    &[("an image has another name too", another_name), ("an image is pushed and pulled again", there_and_back)];

const ADDRESS: &str = "127.0.0.1:5000";
const SENT: &str = "127.0.0.1:5000/contract/pierhead/save:one";

fn reference(name: &str) -> ImageReference {
    ImageReference::parse(name).unwrap()
}

fn account(password: &str) -> RegistryAuth {
    RegistryAuth { server: ADDRESS.to_owned(), username: "pool".to_owned(), password: password.to_owned() }
}

/// A registry on the loopback of a real host; goes when it is dropped.
struct Registry {
    _dir: tempfile::TempDir,
    process: Child,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// A registry that lets in who has the password `right`; the fake one knows who may come, and needs no program.
fn registry(bed: &Bed) -> Option<Registry> {
    if let Kind::Fake(fake) = &bed.kind {
        fake.guard_registry(account("right"));
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let made = Command::new("htpasswd").args(["-Bbn", "pool", "right"]).output().unwrap();
    std::fs::write(path("htpasswd"), made.stdout).unwrap();
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{ADDRESS}\"}}\nauth: {{htpasswd: {{realm: test, path: {}}}}}\n",
        path("data").display(),
        path("htpasswd").display(),
    );
    std::fs::write(path("config.yml"), config).unwrap();
    let pid = bed.host().pid().unwrap().expect("the engine runs").to_string();
    let mut command = Command::new("nsenter");
    command.args(["--net", "--target", &pid, "docker-registry", "serve"]).arg(path("config.yml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(Registry { process: command.spawn().unwrap(), _dir: dir })
}

async fn has(bed: &Bed, name: &str) -> Option<String> {
    bed.engine.image(&reference(name)).await.unwrap()
}

fn another_name(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let name = "pierhead/save:contract-name";
        let id = has(bed, SAMPLE).await;
        bed.engine.tag(&reference(SAMPLE), &reference(name)).await.unwrap();
        bed.engine.tag(&reference(SAMPLE), &reference(name)).await.unwrap();
        assert_eq!(has(bed, name).await, id);
        bed.engine.remove_image(&reference(name)).await.unwrap();
        assert_eq!((has(bed, name).await, has(bed, SAMPLE).await), (None, id), "the other name stays");
        let none = bed.engine.tag(&reference("nope:1"), &reference(name)).await;
        assert!(matches!(none, Err(EngineError::NoImage(_))), "{none:?}");
    }
    .boxed()
}

/// The first push waits until the registry listens.
async fn pushed(bed: &Bed, password: &str) -> Result<String, EngineError> {
    let began = Instant::now();
    loop {
        match bed.engine.push(&reference(SENT), Some(&account(password))).await {
            Err(EngineError::NoImage(why)) if why.contains("refused") && began.elapsed() < PATIENCE => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            done => return done,
        }
    }
}

fn there_and_back(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let _registry = registry(bed);
        let made = "pierhead/save:contract-registry";
        let id = bed.engine.create(&bed.sleeping(SAMPLE)).await.unwrap();
        bed.engine.commit(&id, &reference(made)).await.unwrap();
        bed.engine.remove(&id).await.unwrap();
        let image = has(bed, made).await;
        bed.engine.tag(&reference(made), &reference(SENT)).await.unwrap();
        for (who, denied) in
            [("wrong", pushed(bed, "wrong").await), ("none", bed.engine.push(&reference(SENT), None).await)]
        {
            assert!(denied.as_ref().is_err_and(EngineError::is_denied), "{who}: {denied:?}");
        }
        let digest = pushed(bed, "right").await.unwrap();
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
        assert_eq!(pushed(bed, "right").await.unwrap(), digest, "again the same");
        for name in [SENT, made] {
            bed.engine.remove_image(&reference(name)).await.unwrap();
            assert_eq!(has(bed, name).await, None, "{name}");
        }
        let none = bed.engine.push(&reference(SENT), Some(&account("right"))).await;
        assert!(matches!(none, Err(EngineError::NoImage(_))), "it is not there any more: {none:?}");
        bed.engine.pull(&reference(SENT), Some(&account("right")), silent()).await.unwrap();
        bed.engine.tag(&reference(SENT), &reference(made)).await.unwrap();
        assert_eq!((has(bed, SENT).await, has(bed, made).await), (image.clone(), image.clone()), "the very same image");
        // With the last name of the registry goes all that the host knows of it.
        bed.engine.remove_image(&reference(SENT)).await.unwrap();
        assert_eq!(has(bed, &format!("{}@{digest}", reference(SENT).repository())).await, None);
        assert_eq!(has(bed, made).await, image);
        bed.engine.remove_image(&reference(made)).await.unwrap();
    }
    .boxed()
}
