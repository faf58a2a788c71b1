//! Image archives as `docker save` makes them, small ones.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// An archive of one image with a name; another text makes another image.
#[must_use]
pub fn image_archive(tags: &[&str], text: &str) -> Vec<u8> {
    let config = format!(r#"{{"comment":"{text}","rootfs":{{"type":"layers","diff_ids":["sha256:00"]}}}}"#);
    let config_name = format!("{}.json", digits(&config));
    let tags: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
    let manifest = format!(r#"[{{"Config":"{config_name}","RepoTags":[{}],"Layers":["layer.tar"]}}]"#, tags.join(","));
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in
        [("layer.tar", "a layer"), (config_name.as_str(), config.as_str()), ("manifest.json", manifest.as_str())]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes()).expect("memory takes all");
    }
    builder.into_inner().expect("memory takes all")
}

/// The id of the image in such an archive.
#[must_use]
pub fn image_id(text: &str) -> String {
    let config = format!(r#"{{"comment":"{text}","rootfs":{{"type":"layers","diff_ids":["sha256:00"]}}}}"#);
    format!("sha256:{}", digits(&config))
}

fn digits(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes all");
        digits
    })
}
