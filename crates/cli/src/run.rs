//! `run`: containers of one image.

use crate::description::DescriptionArgs;
use crate::flags::{parse_count, parse_name};
use crate::follow::{ChangeArgs, Finished};
use crate::names;
use crate::{CliError, Output, json, render};
use clap::Args;
use pierhead_client::{Answer, Client, RunOptions};
use pierhead_wire::{ContainerView, OperationView};

/// What `run` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Image to run
    #[arg(value_name = "IMAGE", value_parser = parse_name)]
    pub image: Option<String>,
    /// The same as a flag
    #[arg(long, value_name = "IMAGE", value_parser = parse_name)]
    pub name: Option<String>,
    /// App to make, or to add to if its description is the same
    #[arg(long, value_name = "NAME", value_parser = parse_name, add = names::apps())]
    pub app: Option<String>,
    /// How many containers [default: 1]
    #[arg(long, short = 'n', value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub count: Option<u32>,
    /// Pull the image even if the host has it
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pub pull: Option<String>,
    /// The rest of the description.
    #[command(flatten)]
    pub description: DescriptionArgs,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

impl RunArgs {
    /// The image and whether to pull it. `--pull IMAGE` reads as a flag and an image.
    fn image_and_pull(&self) -> Result<(&str, Option<bool>), CliError> {
        let (pull, behind_pull) = match self.pull.as_deref() {
            None => (None, None),
            Some("true") => (Some(true), None),
            Some("false") => (Some(false), None),
            other => (Some(true), other),
        };
        let images: Vec<&str> =
            [self.image.as_deref(), self.name.as_deref(), behind_pull].into_iter().flatten().collect();
        match images.as_slice() {
            [image] => Ok((image, pull)),
            [] => Err(CliError::usage("no image is named", "pierhead run IMAGE, such as pierhead run httpd -p 80")),
            several => Err(CliError::usage(
                format!("{} images are named: {}", several.len(), several.join(", ")),
                "name one image; arguments of the container stand after --",
            )),
        }
    }
}

/// Runs containers and prints them.
pub(crate) async fn run(args: &RunArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let (image, pull) = args.image_and_pull()?;
    let options = RunOptions { count: args.count, pull, app: args.app.clone() };
    let started = client.run(&args.description.describe(image), &options, &ChangeArgs::begin()).await?;
    match args.change.finish(client, started, "running", out).await? {
        Finished::Detached => Ok(()),
        Finished::Answered { answer, .. } => print(answer.iter(), answer.json(), out),
        Finished::Followed(operation) => {
            let all = client.containers(true).await?;
            print_those_of(&operation, &all, out)
        }
    }
}

/// Prints the containers that came of an operation.
fn print_those_of(
    operation: &Answer<OperationView>,
    all: &Answer<Vec<ContainerView>>,
    out: &mut Output,
) -> Result<(), CliError> {
    let ids: Vec<&str> = operation
        .verdicts
        .iter()
        .filter_map(|verdict| verdict.container.as_ref())
        .map(pierhead_model::ContainerId::as_str)
        .collect();
    let parts = json::elements(all.json());
    let (chosen, parts): (Vec<&ContainerView>, Vec<&str>) =
        all.iter().zip(parts).filter(|(container, _)| ids.contains(&container.id.as_str())).unzip();
    print(chosen, &json::array(&parts), out)
}

fn print<'a>(
    containers: impl IntoIterator<Item = &'a ContainerView>,
    json: &str,
    out: &mut Output,
) -> Result<(), CliError> {
    if out.is_json() {
        return out.json(json);
    }
    let table = render::container::started(containers, out.width());
    out.text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(image: Option<&str>, name: Option<&str>, pull: Option<&str>) -> RunArgs {
        let own = |text: Option<&str>| text.map(str::to_owned);
        RunArgs { image: own(image), name: own(name), pull: own(pull), ..RunArgs::default() }
    }

    #[test]
    fn the_image_stands_in_any_of_three_places() {
        assert_eq!(args(Some("a"), None, None).image_and_pull().unwrap(), ("a", None));
        assert_eq!(args(None, Some("a"), Some("false")).image_and_pull().unwrap(), ("a", Some(false)));
        assert_eq!(args(None, None, Some("a")).image_and_pull().unwrap(), ("a", Some(true)));
    }

    #[test]
    fn none_or_two_images_are_refused() {
        for wrong in
            [args(None, None, Some("true")), args(Some("a"), Some("b"), None), args(Some("a"), None, Some("yes"))]
        {
            assert_eq!(wrong.image_and_pull().unwrap_err().exit_code(), 2);
        }
    }
}
