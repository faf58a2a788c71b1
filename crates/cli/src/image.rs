//! `image`: archives that are sent in and spread to hosts, and what hosts have.

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::render::image::{bytes, progress_of};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{ImageView, SpreadView};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the progress of an upload is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// `image` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct ImageArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<ImageCommand>,
}

/// What can be done with images.
#[derive(Debug, Clone, Subcommand)]
pub enum ImageCommand {
    /// List the images of the pool, and where each is
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one image
    #[command(alias = "inspect")]
    Show {
        /// A name of it, its id, or the beginning of its id
        #[arg(add = names::images())]
        image: String,
    },
    /// Send in an image: what 'docker save NAME:TAG' writes. Hosts that need it get it without a registry
    #[command(visible_alias = "upload")]
    Push {
        /// The archive, with gzip or without; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Bring an image that was sent in to hosts before it is needed
    Spread(ImageSpreadArgs),
    /// Delete a name of an image that was sent in, the image with its last name, or by its id with all; what hosts have stays
    Rm(ImageRmArgs),
}

/// What `image spread` takes.
#[derive(Debug, Clone, Args)]
pub struct ImageSpreadArgs {
    /// A name of it, its id, or the beginning of its id
    #[arg(add = names::images())]
    pub image: String,
    /// Host to bring it to; may be given several times [default: all that can be used]
    #[arg(long = "engine", value_name = "ID", add = names::engines())]
    pub engines: Vec<String>,
}

/// What `image rm` takes.
#[derive(Debug, Clone, Args)]
pub struct ImageRmArgs {
    /// A name of it, its id, or the beginning of its id
    #[arg(add = names::images())]
    pub image: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn image(args: &ImageArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(ImageCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(ImageCommand::Show { image }) => {
            let image = client.image(image).await?;
            if out.is_json() { out.json(image.json()) } else { out.text(&render::image::one(&image)) }
        }
        Some(ImageCommand::Push { file }) => push(file, client, out).await,
        Some(ImageCommand::Spread(args)) => spread(args, client, out).await,
        Some(ImageCommand::Rm(args)) => {
            let what = if args.confirm.yes || !out.terminals().stdin {
                format!("the uploaded image {}", args.image)
            } else {
                what_goes(&args.image, &*client.image(&args.image).await?)
            };
            let question = format!("Delete {what}? What hosts have of it stays.");
            args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
            client.delete_image(&args.image).await?;
            out.done(&format!("deleted {}", args.image))
        }
    }
}

/// What `image rm` deletes, in words: a name alone, or all that an id stands for.
fn what_goes(asked: &str, image: &ImageView) -> String {
    let tags = image.archive.as_ref().map(|archive| archive.tags.clone()).unwrap_or_default();
    let (asked_for, rest): (Vec<String>, Vec<String>) =
        tags.into_iter().partition(|tag| *tag == asked || *tag == format!("{asked}:latest"));
    match (asked_for.is_empty(), rest.is_empty()) {
        (false, false) => format!("the name {asked} of the uploaded image {} ({} stay)", image.id, rest.join(", ")),
        (false, true) => format!("the name {asked} and with it, its last name, the uploaded image {}", image.id),
        (true, false) => format!("the uploaded image {} with its names {}", image.id, rest.join(", ")),
        (true, true) => format!("the uploaded image {}", image.id),
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let images = client.images().await?;
    if out.is_json() {
        return out.json(images.json());
    }
    if images.is_empty() {
        return out.text("No images. Send one in: docker save NAME:TAG | pierhead image push -");
    }
    let table = render::image::list(&images, out.width(), out.now());
    out.text(&table)?;
    if let Some(silent) = images.first().map(|image| image.silent.join(", ")).filter(|silent| !silent.is_empty()) {
        out.note(&format!("not asked or no answer: {silent}"));
    }
    Ok(())
}

async fn push(file: &Path, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let (source, size) = open(file, out)?;
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    out.stop_waiting();
    let progress = out.start_progress();
    let upload = client.upload_image(source, size, move |bytes| count.store(bytes, Ordering::Relaxed));
    let mut upload = std::pin::pin!(upload);
    let uploaded = loop {
        tokio::select! {
            uploaded = &mut upload => break uploaded?,
            () = tokio::time::sleep(DRAW_EVERY) => progress.show(&progress_of(sent.load(Ordering::Relaxed), size)),
        }
    };
    drop(progress);
    if out.is_json() {
        return out.json(uploaded.json());
    }
    out.text(&told(&uploaded))
}

/// What is read, and how much there is of it, if that is known.
fn open(file: &Path, out: &mut Output) -> Result<(Box<dyn Read + Send>, Option<u64>), CliError> {
    if file == Path::new("-") {
        if out.terminals().stdin {
            let hint = "docker save NAME:TAG | pierhead image push -";
            return Err(CliError::usage("an archive can't be typed", hint));
        }
        return Ok((out.take_input(), None));
    }
    let unreadable = |source| CliError::ReadFile { path: file.to_owned(), source };
    let opened = File::open(file).map_err(unreadable)?;
    let about = opened.metadata().map_err(unreadable)?;
    if about.is_dir() {
        return Err(CliError::usage(
            format!("{} is a folder", file.display()),
            "docker save NAME:TAG -o FILE writes an archive",
        ));
    }
    // A pipe that has a name has no size.
    let size = about.is_file().then_some(about.len());
    Ok((Box::new(opened), size))
}

fn told(image: &ImageView) -> String {
    let archive = image.archive.as_ref();
    let tags = archive.map(|archive| archive.tags.join(", ")).unwrap_or_default();
    let size = archive.map_or(image.size, |archive| archive.size);
    format!("uploaded {tags} ({}): {}", bytes(size), image.id)
}

async fn spread(args: &ImageSpreadArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut feed = client.spread_image(&args.image, &args.engines).await?;
    out.stop_waiting();
    let progress = out.start_progress();
    let mut hosts: BTreeMap<String, SpreadView> = BTreeMap::new();
    let mut ended = Vec::new();
    while let Some((json, step)) = feed.next().await? {
        if out.is_json() {
            out.json_line(&json)?;
        } else if step.has_ended() {
            ended.push(step.clone());
        }
        hosts.insert(step.engine.clone(), step);
        progress.show(&render::image::spread(&hosts));
    }
    drop(progress);
    for step in ended {
        match step.has_failed() {
            true => out.note(&format!("error: {}: {}", step.engine, step.message)),
            false => out.text(&format!("{} has {}", step.engine, args.image))?,
        }
    }
    conclude(&hosts, out)
}

/// Every host must have ended well; an answer that breaks off says nothing of those that had not.
fn conclude(hosts: &BTreeMap<String, SpreadView>, out: &mut Output) -> Result<(), CliError> {
    let open: Vec<&str> = hosts.values().filter(|host| !host.has_ended()).map(|host| host.engine.as_str()).collect();
    if !open.is_empty() {
        out.note(&format!("error: the controller stopped telling before {} had ended", open.join(", ")));
    }
    if hosts.is_empty() && !out.is_json() {
        out.note("there is no host that can be used: pierhead engine ls");
    }
    let failed = hosts.values().filter(|host| host.state != "done").count();
    if failed == 0 {
        Ok(())
    } else {
        Err(CliError::Several { failed, of: hosts.len(), exit_code: crate::error::exit::FAILED })
    }
}
