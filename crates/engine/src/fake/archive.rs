//! Image archives of fakes: packed as newer engines do it, and read in any form.

use crate::layers::digest;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const BLOCK: usize = 512;
/// The size of a layer, in bytes.
pub(super) const LAYER_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

/// An image in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archived {
    pub(super) id: String,
    pub(super) tags: Vec<String>,
    /// The digests of its layers, as far as its configuration tells them.
    pub(super) layers: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    /// What its layers hold, in bytes, of those that were made on a fake.
    pub(super) sizes: BTreeMap<String, u64>,
    /// Whether each of them is in the archive.
    pub(super) brought: Vec<bool>,
}

/// The digest of a layer of this name.
pub(super) fn layer(name: &str) -> String {
    digest(name.as_bytes())
}

/// The images in an archive as `docker save` makes it; `None` if it is not one. Of several files of the same name the
/// last one counts.
pub(super) fn images(archive: &[u8]) -> Option<Vec<Archived>> {
    let (mut rest, mut files) = (archive, BTreeMap::new());
    while let (Some(header), true) = (rest.get(..BLOCK), rest.first().is_some_and(|byte| *byte != 0)) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            std::str::from_utf8(field.split(|byte| *byte == 0).next().unwrap_or(field)).ok()
        };
        let size = usize::from_str_radix(text(124..136)?.trim(), 8).ok()?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        files.insert(text(0..100)?.trim_start_matches("./").to_owned(), content);
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..)?;
    }
    let entries: Vec<Entry> = serde_json::from_slice(files.get("manifest.json")?).ok()?;
    Some(entries.into_iter().map(|entry| archived(entry, &files)).collect())
}

fn archived(entry: Entry, files: &BTreeMap<String, &[u8]>) -> Archived {
    let file = entry.config.rsplit('/').next().unwrap_or_default();
    let config = files.get(&entry.config).and_then(|text| serde_json::from_slice(text).ok());
    let config: serde_json::Value = config.unwrap_or_default();
    let named = format!("sha256:{}", file.trim_end_matches(".json"));
    Archived {
        // Ids of fakes are no digests, so they are told.
        id: config["id"].as_str().map_or(named, str::to_owned),
        tags: entry.repo_tags.unwrap_or_default(),
        layers: serde_json::from_value(config["rootfs"]["diff_ids"].clone()).unwrap_or_default(),
        labels: serde_json::from_value(config["config"]["Labels"].clone()).unwrap_or_default(),
        sizes: serde_json::from_value(config["sizes"].clone()).unwrap_or_default(),
        brought: entry.layers.iter().map(|layer| files.contains_key(layer)).collect(),
    }
}

/// An archive of one image.
pub(super) fn pack(
    id: &str,
    tag: Option<&str>,
    layers: &[String],
    labels: &BTreeMap<String, String>,
    sizes: &BTreeMap<&str, u64>,
) -> Vec<u8> {
    let blob = |layer: &String| format!("blobs/sha256/{}", layer.trim_start_matches("sha256:"));
    let config = json!({
        "id": id, "config": { "Labels": labels }, "rootfs": { "diff_ids": layers }, "sizes": sizes
    });
    let config = config.to_string();
    let blobs: Vec<String> = layers.iter().map(blob).collect();
    let tags: Vec<&str> = tag.into_iter().collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": tags, "Layers": blobs }]).to_string();
    let mut archive = Vec::new();
    for blob in &blobs {
        append(&mut archive, blob, &[0; LAYER_BYTES]);
    }
    append(&mut archive, "config.json", config.as_bytes());
    append(&mut archive, "manifest.json", manifest.as_bytes());
    archive.extend([0; 2 * BLOCK]);
    archive
}

fn append(archive: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut head = [0; BLOCK];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[100..107].copy_from_slice(b"0000644");
    head[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    head[148..156].fill(b' ');
    head[156] = b'0';
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend(head);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn archived(id: &str, tags: &[&str]) -> Archived {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let (labels, sizes) = (BTreeMap::new(), BTreeMap::new());
        Archived { id: format!("sha256:{id}"), tags, layers: vec![], labels, sizes, brought: vec![] }
    }

    #[test]
    fn the_images_in_an_archive() {
        let manifest =
            br#"[{"Config":"c.json","RepoTags":["a:1","b:2"],"Layers":[]},{"Config":"blobs/sha256/d","RepoTags":null}]"#;
        let files: [(&str, &[u8]); 2] = [("layer.tar", &[7; 1000]), ("manifest.json", manifest)];
        assert_eq!(images(&tar(&files)).unwrap(), [archived("c", &["a:1", "b:2"]), archived("d", &[])]);
        let later: &[u8] = br#"[{"Config":"c.json","RepoTags":["z:1"]}]"#;
        let again = tar(&[files[1], files[0], ("manifest.json", later)]);
        assert_eq!(images(&again).unwrap(), [archived("c", &["z:1"])]);
    }

    #[test]
    fn what_was_packed_is_read_again() {
        let layers = ["low", "high"].map(layer).to_vec();
        let sizes = BTreeMap::from([(layers[1].as_str(), 7_000_000)]);
        let packed = pack("sha256:team/app:1", Some("team/app:1"), &layers, &BTreeMap::new(), &sizes);
        assert_eq!(tar::Archive::new(packed.as_slice()).entries().unwrap().count(), 4);
        let sizes = BTreeMap::from([(layers[1].clone(), 7_000_000)]);
        let whole = Archived { layers, sizes, brought: vec![true, true], ..archived("team/app:1", &["team/app:1"]) };
        assert_eq!(images(&packed).unwrap(), [whole]);
    }

    #[test]
    fn what_is_no_archive() {
        assert_eq!(images(b""), None);
        assert_eq!(images(&[b'x'; 2000]), None);
        assert_eq!(images(&tar(&[("other", b"x")])), None);
        assert_eq!(images(&tar(&[("manifest.json", b"{")])), None);
        let whole = tar(&[("manifest.json", b"[]")]);
        assert_eq!(images(&whole[..513]), None);
    }
}
