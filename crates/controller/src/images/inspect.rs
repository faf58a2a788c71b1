//! Reads what an archive holds out of its file, and refuses what is not one image in Docker's form. The content of
//! layers is left to the engines, which check each against the image's configuration.

use super::ArchiveError;
use pierhead_model::{ImageArchive, ImageId, ImageReference};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// The largest manifest, in bytes.
const LARGEST_MANIFEST: u64 = 4 << 20;
/// The largest configuration, in bytes.
const LARGEST_CONFIG: u64 = 8 << 20;
/// The most files.
const MOST_ENTRIES: usize = 20_000;
/// The most layers, more than any engine takes.
const MOST_LAYERS: usize = 512;
/// The most names of one image: they change in one transaction.
const MOST_TAGS: usize = 32;
/// Archives are made of blocks of so many bytes.
const BLOCK: u64 = 512;
const MANIFEST: &str = "manifest.json";

/// What an archive holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inspected {
    pub(crate) id: ImageId,
    pub(crate) tags: BTreeSet<ImageReference>,
    pub(crate) config: String,
    pub(crate) layers: Vec<String>,
    /// The digests of the layers, the lowest first.
    pub(crate) diff_ids: Vec<String>,
    /// The size of each of them, in bytes.
    pub(crate) layer_bytes: Vec<u64>,
    /// Where its entries end, in bytes.
    pub(crate) entries_bytes: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// A file in the archive.
#[derive(Debug, Clone)]
enum Entry {
    File {
        at: u64,
        size: u64,
    },
    /// Another name of another entry.
    Link(String),
}

struct Contents {
    entries: HashMap<String, Entry>,
    end: u64,
}

fn malformed(what: impl Into<String>) -> ArchiveError {
    ArchiveError::Malformed(what.into())
}

/// Reads an archive; its file is read from its beginning.
pub(super) fn inspect(file: &mut File) -> Result<Inspected, ArchiveError> {
    let contents = contents(file)?;
    let manifest = manifest_of(file, &contents)?;
    let config = content(file, &contents, &manifest.config, LARGEST_CONFIG)?.ok_or_else(|| {
        malformed(format!("{}, which its manifest.json names, is missing", excerpt(&manifest.config)))
    })?;
    let id = image_id(&manifest.config, &config)?;
    let (diff_ids, layer_bytes) = check_layers(&contents, &manifest, &config)?;
    let tags = tags(manifest.repo_tags.clone().unwrap_or_default())?;
    let ManifestEntry { config, layers, .. } = manifest;
    Ok(Inspected { id, tags, config, layers, diff_ids, layer_bytes, entries_bytes: contents.end })
}

fn contents(file: &mut File) -> Result<Contents, ArchiveError> {
    let length = file.seek(SeekFrom::End(0)).map_err(ArchiveError::keep)?;
    file.seek(SeekFrom::Start(0)).map_err(ArchiveError::keep)?;
    // What the reader says repeats bytes of the file, whatever they are.
    let unreadable = |_: std::io::Error| malformed("it is no readable tar file");
    let mut archive = tar::Archive::new(file);
    let mut contents = Contents { entries: HashMap::new(), end: 0 };
    for entry in archive.entries_with_seek().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.header().entry_type();
        let (at, size) = (entry.raw_file_position(), entry.size());
        contents.end = at.saturating_add(size).div_ceil(BLOCK).saturating_mul(BLOCK);
        if contents.end > length {
            return Err(malformed("it ends in the middle of a file"));
        }
        if kind.is_pax_global_extensions() {
            continue;
        }
        let name = inside(&entry.path_bytes())?;
        if contents.entries.len() == MOST_ENTRIES {
            return Err(malformed(format!("it holds more than {MOST_ENTRIES} files")));
        }
        if kind.is_file() {
            contents.entries.insert(name, Entry::File { at, size });
        } else if kind.is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default();
            contents.entries.insert(name.clone(), Entry::Link(link_target(&name, &target)?));
        } else if !kind.is_dir() {
            return Err(malformed(format!("{} is neither a file nor a folder", excerpt(&name))));
        }
    }
    Ok(contents)
}

/// The name of an entry, without what means nothing in it; one that leads out of the archive is refused.
fn inside(name: &[u8]) -> Result<String, ArchiveError> {
    let text = std::str::from_utf8(name).map_err(|_| malformed("the name of a file in it is not UTF-8"))?;
    if text.contains('\0') {
        return Err(malformed("the name of a file in it holds a null character"));
    }
    resolve(&[], text).ok_or_else(|| malformed(format!("the name {} leads out of the archive", excerpt(text))))
}

fn link_target(name: &str, target: &[u8]) -> Result<String, ArchiveError> {
    let target = String::from_utf8_lossy(target);
    let parents: Vec<&str> = name.split('/').collect();
    let (_, folder) = parents.split_last().unwrap_or((&"", &[]));
    resolve(folder, &target).ok_or_else(|| malformed(format!("the link {} leads out of the archive", excerpt(name))))
}

/// The path that leads from a folder of the archive to another of its entries.
fn resolve(folder: &[&str], path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.to_vec();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

fn manifest_of(file: &mut File, contents: &Contents) -> Result<ManifestEntry, ArchiveError> {
    let Some(text) = content(file, contents, MANIFEST, LARGEST_MANIFEST)? else {
        let is_oci = contents.entries.contains_key("index.json") || contents.entries.contains_key("oci-layout");
        return Err(malformed(if is_oci {
            "it is an OCI layout without a manifest.json; pack the image with 'docker save'"
        } else {
            "it holds no manifest.json ('docker export' makes another kind; use 'docker save NAME:TAG')"
        }));
    };
    let entries: Vec<ManifestEntry> = serde_json::from_slice(&text)
        .map_err(|error| malformed(format!("its manifest.json is not as it should be ({error})")))?;
    let count = entries.len();
    let mut entries = entries.into_iter();
    match (entries.next(), count) {
        (Some(entry), 1) => Ok(entry),
        (None, _) => Err(malformed("its manifest.json tells of no image")),
        _ => Err(malformed(format!("it holds {count} images; save each by itself, as in 'docker save NAME:TAG'"))),
    }
}

/// The bytes of a small file in the archive; `None` if it is not there.
fn content(file: &mut File, contents: &Contents, name: &str, most: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
    let Some((at, size)) = followed(contents, name) else { return Ok(None) };
    if size > most {
        return Err(malformed(format!("{} is larger than {most} bytes", excerpt(name))));
    }
    file.seek(SeekFrom::Start(at)).map_err(ArchiveError::keep)?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).map_err(ArchiveError::keep)?;
    Ok(Some(bytes))
}

/// Where the content of an entry lies, and how long it is; a link counts as what it leads to.
fn followed(contents: &Contents, name: &str) -> Option<(u64, u64)> {
    /// Old archives have one link from a layer to another.
    const MOST_LINKS: usize = 8;
    let mut name = resolve(&[], name)?;
    for _ in 0..MOST_LINKS {
        match contents.entries.get(&name)? {
            Entry::File { at, size } => return Some((*at, *size)),
            Entry::Link(target) => name.clone_from(target),
        }
    }
    None
}

/// The digest of the configuration, which its file name must tell too if it tells one.
fn image_id(name: &str, config: &[u8]) -> Result<ImageId, ArchiveError> {
    let digest = pierhead_blobs::Digest::of(Sha256::digest(config).into());
    let id = ImageId::parse(digest.as_str()).expect("a digest is 64 digits");
    let claimed = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".json");
    match ImageId::parse(claimed) {
        Ok(claimed) if claimed != id => {
            Err(malformed(format!("the digest of its configuration is {id}, but its name says {claimed}")))
        }
        _ => Ok(id),
    }
}

/// The digests of the layers, and the size of each.
fn check_layers(
    contents: &Contents,
    manifest: &ManifestEntry,
    config: &[u8],
) -> Result<(Vec<String>, Vec<u64>), ArchiveError> {
    let config: Value = serde_json::from_slice(config)
        .map_err(|error| malformed(format!("the configuration of its image is not JSON ({error})")))?;
    let Some(digests) = config["rootfs"]["diff_ids"].as_array() else {
        return Err(malformed("the configuration of its image names no layers (rootfs.diff_ids)"));
    };
    if digests.len() != manifest.layers.len() || digests.len() > MOST_LAYERS {
        let (has, names) = (manifest.layers.len(), digests.len());
        return Err(malformed(format!("it has {has} layers, but the configuration of its image names {names}")));
    }
    let size = |layer: &String| match followed(contents, layer) {
        Some((_, size)) => Ok(size),
        None => Err(malformed(format!("the layer {}, which its manifest.json names, is missing", excerpt(layer)))),
    };
    let sizes = manifest.layers.iter().map(size).collect::<Result<_, _>>()?;
    Ok((digests.iter().map(|digest| digest.as_str().unwrap_or_default().to_owned()).collect(), sizes))
}

fn tags(names: Vec<String>) -> Result<BTreeSet<ImageReference>, ArchiveError> {
    if names.is_empty() {
        return Err(malformed("its image has no name (RepoTags); save it by one, as in 'docker save NAME:TAG'"));
    }
    if names.len() > MOST_TAGS {
        return Err(malformed(format!("its image has more than {MOST_TAGS} names")));
    }
    let tag = |name: &String| match ImageReference::parse(name) {
        Ok(tag) if !name.contains('@') && ImageId::parse(tag.as_str()).is_err() => Ok(tag),
        _ => Err(malformed(format!("{} is no name of an image with a tag", excerpt(name)))),
    };
    names.iter().map(tag).collect()
}

/// The end of an archive that gives its image these names, whatever came before.
pub(super) fn manifest(record: &ImageArchive, tags: &[&str]) -> Vec<u8> {
    let entry = ManifestEntry {
        config: record.config.clone(),
        repo_tags: (!tags.is_empty()).then(|| tags.iter().map(|&tag| tag.to_owned()).collect()),
        layers: record.layers.clone(),
    };
    let text = serde_json::to_vec(&[entry]).expect("texts have a JSON form");
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, MANIFEST, text.as_slice()).expect("memory takes all");
    builder.into_inner().expect("memory takes all")
}

/// The first characters of what somebody sent, in quotes.
fn excerpt(text: &str) -> String {
    format!("{:?}", text.chars().take(100).collect::<String>())
}

#[cfg(test)]
mod tests;
