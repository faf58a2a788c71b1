//! Where image archives lie: a directory or a bucket, and as whom that is asked. The variables of AWS's own tools count
//! where nothing else is said.

use super::ServeArgs;
use anyhow::{Context, Result, bail};
use pierhead_blobs::{Blobs, Bucket, BucketAddress, BucketKeys, BucketSettings};
use std::path::Path;

/// Where the files of labs lie in the place of all blobs.
const LABS: &str = "labs";

/// The value of a variable of the environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

impl ServeArgs {
    /// Where the files of labs lie: beside the archives, so that what is swept there never is one of them.
    pub(super) fn lab_blobs(&self, data_dir: &Path, env: Env) -> Result<Blobs> {
        let Some(place) = self.blobs.as_deref().filter(|place| place.contains("://")) else {
            let directory = self.blobs.as_deref().map_or(data_dir, Path::new);
            return Ok(Blobs::directory(directory.join(LABS), true));
        };
        let mut address: BucketAddress = place.parse().with_context(|| format!("--blobs {place}"))?;
        address.prefix = if address.prefix.is_empty() { LABS.to_owned() } else { format!("{}/{LABS}", address.prefix) };
        Ok(Blobs::Bucket(Bucket::new(&self.bucket(address, env)?, data_dir.join("incoming-labs"))?))
    }

    /// Where archives of images lie.
    pub(super) fn blobs(&self, data_dir: &Path, env: Env) -> Result<Blobs> {
        let bucket = self.blobs.as_deref().filter(|place| place.contains("://"));
        let Some(place) = bucket else {
            let is_any_given = self.blobs_endpoint.is_some()
                || self.blobs_region.is_some()
                || self.blobs_path_style.is_some()
                || self.blobs_credentials_file.is_some();
            if is_any_given {
                bail!("--blobs-endpoint and the like are for --blobs s3://BUCKET/PREFIX, a bucket");
            }
            return Ok(match &self.blobs {
                Some(directory) => Blobs::directory(directory, true),
                None => Blobs::directory(data_dir.join("images"), false),
            });
        };
        let address: BucketAddress = place.parse().with_context(|| format!("--blobs {place}"))?;
        let settings = self.bucket(address, env)?;
        if self.largest_image()? > Bucket::LARGEST {
            bail!("--largest-image must be at most {} with --blobs s3://", Bucket::LARGEST >> 20);
        }
        Ok(Blobs::Bucket(Bucket::new(&settings, data_dir.join("incoming"))?))
    }

    fn bucket(&self, address: BucketAddress, env: Env) -> Result<BucketSettings> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let or = |given: &Option<String>, names: [&str; 2]| given.clone().or_else(|| names.into_iter().find_map(env));
        let endpoint = or(&self.blobs_endpoint, ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        let region = or(&self.blobs_region, ["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let keys = self.bucket_keys(env)?;
        BucketSettings::settle(address, endpoint.as_deref(), region.as_deref(), self.blobs_path_style, keys)
            .context("--blobs-endpoint and --blobs-region")
    }

    fn bucket_keys(&self, env: impl Fn(&str) -> Option<String>) -> Result<BucketKeys> {
        let from = |file: &Path| {
            let text = std::fs::read_to_string(file)?;
            Ok::<_, anyhow::Error>(BucketKeys::from_file(&text, env("AWS_PROFILE").as_deref())?)
        };
        if let Some(file) = &self.blobs_credentials_file {
            return from(file).with_context(|| format!("--blobs-credentials-file {}", file.display()));
        }
        match (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SHARED_CREDENTIALS_FILE")) {
            (Some(id), Some(secret), _) => Ok(BucketKeys { id, secret, token: env("AWS_SESSION_TOKEN") }),
            (None, None, Some(file)) => {
                from(Path::new(&file)).with_context(|| format!("AWS_SHARED_CREDENTIALS_FILE {file}"))
            }
            (None, None, None) => bail!(
                "--blobs s3://… needs a key: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --blobs-credentials-file FILE"
            ),
            _ => bail!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s3cret")];

    fn blobs(args: &ServeArgs, env: &[(&str, &str)]) -> Result<String, String> {
        let value = |wanted: &str| env.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        let settled = args.blobs(Path::new("/data"), &value);
        settled.map(|blobs| format!("{blobs:?}")).map_err(|error| format!("{error:#}"))
    }

    fn at(place: &str) -> ServeArgs {
        ServeArgs { blobs: Some(place.to_owned()), ..ServeArgs::default() }
    }

    #[test]
    fn archives_lie_in_a_directory_unless_it_is_said_otherwise() {
        let own = ServeArgs::default().blobs(Path::new("/data"), &|_| None).unwrap();
        assert_eq!((own.spool(), own.is_remote()), (Path::new("/data/images"), false));
        let shared = at("/srv/images").blobs(Path::new("/data"), &|_| None).unwrap();
        assert_eq!((shared.spool(), shared.is_remote()), (Path::new("/srv/images"), false));
        let value = |wanted: &str| KEY.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        let bucket = at("s3://school/images").blobs(Path::new("/data"), &value).unwrap();
        assert_eq!((bucket.spool(), bucket.is_remote()), (Path::new("/data/incoming"), true));
    }

    #[test]
    fn files_of_labs_lie_in_a_place_of_their_own() {
        let place = |args: &ServeArgs| {
            let value =
                |wanted: &str| KEY.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
            let blobs = args.lab_blobs(Path::new("/data"), &value).unwrap();
            (blobs.spool().display().to_string(), format!("{blobs:?}"))
        };
        assert_eq!(place(&ServeArgs::default()).0, "/data/labs");
        assert_eq!(place(&at("/srv/blobs")).0, "/srv/blobs/labs");
        for (address, words) in [("s3://school", "s3://school/labs"), ("s3://school/images", "s3://school/images/labs")]
        {
            let (spool, shown) = place(&at(address));
            assert_eq!(spool, "/data/incoming-labs");
            assert!(shown.contains(words) && !shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn a_bucket_is_asked_where_and_as_whom_it_is_said() {
        let settle = |args: &ServeArgs, env: &[(&str, &str)]| {
            let env: Vec<(&str, &str)> = KEY.into_iter().chain(env.iter().copied()).collect();
            let value =
                move |wanted: &str| env.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
            let settled = args.bucket("s3://school".parse().unwrap(), &value).unwrap();
            (settled.endpoint.to_string(), settled.region, settled.has_path_style, settled.keys.id)
        };
        let of = |endpoint: &str, region: &str, style, id: &str| {
            (endpoint.to_owned(), region.to_owned(), style, id.to_owned())
        };
        let plain = settle(&at("s3://school"), &[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "other")]);
        assert_eq!(plain, of("https://s3.eu-west-1.amazonaws.com/", "eu-west-1", false, "AKIA1"));
        let variable =
            settle(&at("s3://school"), &[("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_S3", "http://s3")]);
        assert_eq!(variable, of("http://s3/", "us-east-1", true, "AKIA1"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=x\n").unwrap();
        let args = ServeArgs {
            blobs_endpoint: Some("https://s3.lan:9000".to_owned()),
            blobs_region: Some("lab".to_owned()),
            blobs_path_style: Some(false),
            blobs_credentials_file: Some(file.path().to_owned()),
            ..at("s3://school")
        };
        let flags = settle(&args, &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_S3", "http://s3")]);
        assert_eq!(flags, of("https://s3.lan:9000/", "lab", false, "AKIA2"));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_name_and_no_secret_is() {
        let missing = ServeArgs { blobs_credentials_file: Some(PathBuf::from("/nowhere")), ..at("s3://school") };
        let endpoint = ServeArgs { blobs_endpoint: Some("s3.lan".to_owned()), ..at("s3://school") };
        let region = ServeArgs { blobs_region: Some("eu-1".to_owned()), ..at("/srv/images") };
        let large = ServeArgs { largest_image: Some(700_000), ..at("s3://school") };
        for (args, env, words) in [
            (at("s3://school"), &[][..], "--blobs-credentials-file FILE"),
            (at("s3://school"), &KEY[..1], "belong together"),
            (at("s3://School"), &KEY, "--blobs s3://School: must be s3://BUCKET"),
            (at("gs://school"), &KEY, "--blobs gs://school: must be s3://BUCKET"),
            (missing, &KEY, "--blobs-credentials-file /nowhere"),
            (endpoint, &KEY, "must be https://HOST"),
            (region, &KEY, "are for --blobs s3://BUCKET/PREFIX"),
            (large, &KEY, "--largest-image must be at most 640000 with --blobs s3://"),
        ] {
            let refused = blobs(&args, env).unwrap_err();
            assert!(refused.contains(words) && !refused.contains("s3cret"), "{words}: {refused}");
        }
        let shown = blobs(&at("s3://school/images"), &KEY).unwrap();
        assert!(shown.contains("s3://school/images") && !shown.contains("s3cret"), "{shown}");
    }
}
