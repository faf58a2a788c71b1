//! `lab test`: works through labs as their solutions say, in an environment that is opened for it and removed again.
//!
//! For each step: what is run at the first visit, its checks, which must not all pass yet, its solution, and its checks again,
//! which must all pass. So the lab is one that can be solved, and whose checks notice it.

use super::source::{Opened, Source};
use crate::{CliError, Output, interrupt};
use clap::Args;
use pierhead_client::{Answer, Client, ClientError, FileStream, LabBefore};
use pierhead_lab::{Files, Folder, Format, ImageTable, Lab, LabPath, MemoryFiles, Problems, SubFiles, find, with_lab};
use pierhead_wire::{LabRequest, LabResultView, LabRunRequest, WorkspaceView};
use serde_json::{Value, json};
use std::io::{Cursor, Read};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often it is looked how far the environment is.
const PACE: Duration = Duration::from_millis(300);
/// For how long checks may still fail after a solution: what that has started takes a moment.
const GRACE: Duration = Duration::from_secs(10);
/// The largest file of a lab that is read from an archive, in bytes.
const LARGEST: u64 = 32 << 20;

/// What `lab test` takes.
#[derive(Debug, Clone, Args)]
pub struct LabTestArgs {
    /// Folder or zip archive of a lab, or of several; or the name of a lab of the pool, whose draft is tested
    #[arg(value_name = "DIR|LAB", default_value = ".")]
    pub target: String,
    /// Test only this step, counted from 1; those before it are solved and not tested
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub step: Option<u32>,
    /// Seconds to wait for the environment
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub wait: u64,
}

/// A lab that is tested.
struct Tested {
    name: String,
    lab: Lab,
    archive: Vec<u8>,
}

/// Tests one lab, or all in a folder.
pub(super) async fn test(args: &LabTestArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let labs = labs(args, client).await?;
    let _own = interrupt::own();
    let (mut told, mut failed) = (Vec::new(), 0);
    for tested in &labs {
        let id = name();
        let done = tokio::select! {
            done = one(tested, &id, args, client, out) => done,
            _ = tokio::signal::ctrl_c() => Err(CliError::Interrupted { operation: None }),
        };
        remove(&id, client, out).await;
        let (ok, report) = done?;
        failed += usize::from(!ok);
        told.push(report);
    }
    if out.is_json() {
        let whole =
            if let [only] = told.as_slice() { only.clone() } else { json!({ "ok": failed == 0, "labs": told }) };
        out.json(&whole.to_string())?;
    }
    if failed == 0 { Ok(()) } else { Err(CliError::LabTest { failed, of: labs.len() }) }
}

/// The labs that are meant.
async fn labs(args: &LabTestArgs, client: &Client) -> Result<Vec<Tested>, CliError> {
    let path = Path::new(&args.target);
    if path.exists() {
        return match Source::open(path)? {
            Opened::Source(source) => source.with_files(|files, name, problems| read(files, name, problems)),
            Opened::Refused(report) => {
                let message = report.problems.first().map(ToString::to_string).unwrap_or_default();
                Err(CliError::usage(format!("{} can't be read: {message}", args.target), "see pierhead lab check"))
            }
        };
    }
    let archive = match client.lab_archive(&args.target, "draft").await {
        Err(ClientError::Refused { status: 404, .. }) => {
            let message = format!("there is neither a folder nor a lab {:?}", args.target);
            return Err(CliError::NotFound(message));
        }
        archive => whole(archive?).await?,
    };
    let files = unpacked(&archive).map_err(|error| CliError::Terminal(format!("the lab can't be read: {error}")))?;
    read(&files, &args.target, Problems::default())
}

async fn whole(mut archive: FileStream) -> Result<Vec<u8>, CliError> {
    let mut read = Vec::new();
    while let Some(piece) = archive.next().await? {
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

fn unpacked(archive: &[u8]) -> Result<MemoryFiles, String> {
    let mut contents = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = LabPath::parse(&path).map_err(|error| error.to_string())?;
        let mut content = Vec::new();
        entry.take(LARGEST).read_to_end(&mut content).map_err(|error| error.to_string())?;
        contents.insert(path, content);
    }
    MemoryFiles::new(contents).map_err(|error| error.to_string())
}

/// The labs of our own format in a folder, each with its files as an archive.
fn read(files: &dyn Files, name: &str, mut problems: Problems) -> Result<Vec<Tested>, CliError> {
    let folder = Folder::new(files);
    let places = find(&folder, &mut problems);
    let mut labs = Vec::new();
    for place in places.iter().filter(|place| place.format == Format::Pierhead) {
        let lab = with_lab(&folder, place, &ImageTable::default(), &mut problems, |lab, _, _| lab.clone());
        let Some(lab) = lab else { continue };
        let below = SubFiles::new(files, &place.path);
        let archive = archive(&below).map_err(|error| CliError::Terminal(format!("{}: {error}", place.path)))?;
        let name = if place.path == LabPath::root() { name.to_owned() } else { place.path.to_string() };
        labs.push(Tested { name, lab, archive });
    }
    if problems.any_errors() {
        let errors = problems.into_list();
        let message = errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(CliError::usage(format!("the lab is not as it must be: {message}"), "see pierhead lab check"));
    }
    if labs.is_empty() {
        let hint = "labs of other platforms are tested when they were imported: pierhead lab import DIR OUT";
        return Err(CliError::usage(format!("there is no lab with a lab.yaml in {name}"), hint));
    }
    Ok(labs)
}

fn archive(files: &dyn Files) -> Result<Vec<u8>, String> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files.list() {
        let content = files.read(path, *bytes).map_err(|error| format!("{path}: {error}"))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let appended = builder.append_data(&mut header, path.as_str(), &*content);
        appended.map_err(|error| format!("{path}: {error}"))?;
    }
    builder.into_inner().map_err(|error| error.to_string())
}

/// Tests one lab; whether it passed, and what is told of it.
async fn one(
    tested: &Tested,
    id: &str,
    args: &LabTestArgs,
    client: &Client,
    out: &mut Output,
) -> Result<(bool, Value), CliError> {
    let lab = &tested.lab;
    note(out, &format!("{}: {}", tested.name, lab.title));
    if let Some(step) = args.step.filter(|step| *step as usize > lab.steps.len()) {
        let message = format!("there is no step {step}: {} has {}", tested.name, lab.steps.len());
        return Err(CliError::usage(message, "steps are counted from 1"));
    }
    let request = LabRequest { id: id.to_owned(), title: Some(lab.title.clone()), ..LabRequest::default() };
    client.add_lab(&request).await?;
    client.replace_lab_draft(id, LabBefore::Any, Cursor::new(tested.archive.clone()), |_| ()).await?;
    let workspace = client.open_lab_workspace(id).await?.into_value();
    let workspace = ready(workspace, args, client, out).await?;
    let run = Run { client, lab: id, workspace: &workspace };
    let (mut steps, mut is_ok) = (Vec::new(), true);
    let last = args.step.map_or(lab.steps.len() as u32, |step| step);
    for step in 0..last {
        let is_tested = args.step.is_none_or(|only| only == step + 1);
        let began = Instant::now();
        let (ok, mut told) = run.step(lab, step, is_tested).await?;
        told["seconds"] = json!((began.elapsed().as_secs_f64() * 10.0).round() / 10.0);
        if !out.is_json() {
            out.text(&line(&told))?;
        }
        if is_tested {
            steps.push(told);
        }
        is_ok &= ok;
        if !ok {
            // What follows stands on it.
            break;
        }
    }
    Ok((is_ok, json!({ "lab": tested.name, "title": lab.title, "ok": is_ok, "steps": steps })))
}

/// A name that no lab has.
fn name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("test-{:x}-{:x}", std::process::id(), since.as_micros() & 0xff_ffff_ffff)
}

/// Waits until people could work in it.
async fn ready(
    mut now: WorkspaceView,
    args: &LabTestArgs,
    client: &Client,
    out: &mut Output,
) -> Result<String, CliError> {
    let (end, mut told) = (Instant::now() + Duration::from_secs(args.wait), String::new());
    loop {
        match now.phase.as_str() {
            "ready" | "idle" => return Ok(now.id),
            "ended" | "saved" => {
                return Err(CliError::Terminal(format!("the environment is {}: {}", now.phase, now.message)));
            }
            _ if Instant::now() >= end => {
                let words = format!("the environment is {} after {} s: {}", now.phase, args.wait, now.message);
                return Err(CliError::Terminal(words));
            }
            _ => {}
        }
        let line = format!("environment: {} {}", now.phase, now.message);
        if line != told {
            note(out, line.trim());
            told = line;
        }
        tokio::time::sleep(PACE).await;
        now = client.workspace(&now.id).await?.into_value();
    }
}

fn note(out: &mut Output, line: &str) {
    if !out.is_json() {
        out.note(line);
    }
}

/// Where scripts are run.
struct Run<'a> {
    client: &'a Client,
    lab: &'a str,
    workspace: &'a str,
}

impl Run<'_> {
    async fn scripts(&self, step: u32, what: &str) -> Result<Vec<LabResultView>, CliError> {
        let (workspace, run) = (self.workspace.to_owned(), Some(what.to_owned()));
        let request = LabRunRequest { workspace, step: Some(step), run };
        Ok(self.client.run_lab_draft(self.lab, &request).await?.into_value().results)
    }

    /// One step, and whether it is as it must be; one that is not tested is only solved.
    async fn step(&self, lab: &Lab, number: u32, is_tested: bool) -> Result<(bool, Value), CliError> {
        let Some(step) = lab.steps.get(number as usize) else { return Ok((true, json!({}))) };
        let mut problems = Vec::new();
        let setup = self.scripts(number, "setup").await?;
        problems.extend(not_passed(&setup, "setup"));
        let (mut before, mut solution, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        if problems.is_empty() && is_tested && !step.checks.is_empty() {
            before = self.scripts(number, "checks").await?;
            if before.iter().all(|result| result.state == "passed") {
                problems.push("its checks pass before anything was done".to_owned());
            }
            problems.extend(not_run(&before));
            if step.solution.is_none() {
                problems.push("it has checks and no solution".to_owned());
            }
        }
        if problems.is_empty() {
            solution = self.scripts(number, "solution").await?;
            problems.extend(not_passed(&solution, "solution"));
        }
        if problems.is_empty() && is_tested {
            let end = Instant::now() + GRACE;
            loop {
                checks = self.scripts(number, "checks").await?;
                let failed = not_passed(&checks, "check");
                if failed.is_empty() || Instant::now() >= end {
                    problems.extend(failed);
                    break;
                }
                tokio::time::sleep(PACE).await;
            }
        }
        let told = json!({
            "step": number + 1, "title": step.page.title, "ok": problems.is_empty(), "tested": is_tested,
            "setup": setup, "before": before, "solution": solution, "checks": checks, "problems": problems,
        });
        Ok((problems.is_empty(), told))
    }
}

/// What is told of those that did not pass.
fn not_passed(results: &[LabResultView], what: &str) -> Vec<String> {
    let failed = results.iter().filter(|result| result.state != "passed");
    failed.map(|result| said(result, what)).collect()
}

fn not_run(results: &[LabResultView]) -> Vec<String> {
    results.iter().filter(|result| result.state == "not-run").map(|result| said(result, "check")).collect()
}

fn said(result: &LabResultView, what: &str) -> String {
    let exit = result.exit.map(|exit| format!(" with exit status {exit}")).unwrap_or_default();
    let last = result.said.lines().rev().find(|line| !line.trim().is_empty());
    let words = last.or(result.hint.as_deref()).map(|words| format!(": {words}")).unwrap_or_default();
    format!("{what} {} {}{exit}{words}", result.name, result.state)
}

/// A step as one line, and what is wrong with it on further ones.
fn line(told: &Value) -> String {
    let count = |what: &str| told[what].as_array().map_or(0, Vec::len);
    let mark = if told["ok"] == true { "ok" } else { "FAILED" };
    let what = match (told["tested"] == true, count("checks")) {
        (false, _) => "solved, not tested".to_owned(),
        (true, 0) => "nothing to check".to_owned(),
        (true, checks) => format!("{checks} checks"),
    };
    let title = told["title"].as_str().unwrap_or_default();
    let title = crate::escape::escape(title);
    let mut text = format!("  {mark:6} {}. {title} ({what}, {} s)", told["step"], told["seconds"]);
    for problem in told["problems"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n         {}", crate::escape::escape(problem.as_str().unwrap_or_default())));
    }
    text
}

/// Removes what was opened for a lab, whatever was interrupted; what can't be removed is told, and goes by its own time.
async fn remove(lab: &str, client: &Client, out: &mut Output) {
    let environment = format!("lab-{lab}-draft");
    let opened = client.workspaces().await.map(Answer::into_value).unwrap_or_default();
    let opened = opened.iter().filter(|workspace| workspace.environment == environment && workspace.phase != "ended");
    for workspace in opened {
        if let Err(error) = client.end_workspace(&workspace.id, true).await {
            out.note(&format!("workspace {} could not be ended: {error}", workspace.id));
        }
    }
    match client.delete_lab(lab).await {
        Ok(()) | Err(ClientError::Refused { status: 404, .. }) => {}
        Err(error) => out.note(&format!("lab {lab} could not be deleted: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(state: &str, said: &str) -> LabResultView {
        let (name, exit) = ("served".to_owned(), (state == "failed").then_some(2));
        LabResultView { name, state: state.to_owned(), exit, said: said.to_owned(), ..LabResultView::default() }
    }

    #[test]
    fn what_did_not_pass_is_told_with_its_last_words() {
        let results = [result("passed", ""), result("failed", "one\ntwo\n\n"), result("timed-out", "")];
        let told = not_passed(&results, "check");
        assert_eq!(told, ["check served failed with exit status 2: two", "check served timed-out"]);
        let absent = LabResultView { hint: Some("its host is away".to_owned()), ..result("not-run", "") };
        assert_eq!(not_run(&[absent]), ["check served not-run: its host is away"]);
    }

    #[test]
    fn a_step_is_a_line() {
        let told = json!({ "step": 2, "title": "Serve\u{1b}", "ok": false, "tested": true, "seconds": 1.5, "checks": [1, 2],
            "problems": ["check served failed"] });
        let text = line(&told);
        assert!(
            text.starts_with("  FAILED 2. Serve") && text.contains("(2 checks, 1.5 s)\n         check served failed"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
        let solved = json!({ "step": 1, "title": "A", "ok": true, "tested": false, "seconds": 0.1 });
        assert!(line(&solved).contains("solved, not tested"));
    }

    #[test]
    fn labs_of_a_folder_are_packed_and_read_again() {
        let files = [
            ("one/lab.yaml", "title: One\nenvironment: shell\n"),
            ("one/steps/1.md", "# A\n"),
            ("two/lab.yaml", "title: Two\nenvironment: shell\n"),
            ("two/steps/1.md", "# B\n"),
        ];
        let contents = files.map(|(path, text)| (LabPath::parse(path).unwrap(), text.as_bytes().to_vec()));
        let files = MemoryFiles::new(contents.into_iter().collect()).unwrap();
        let labs = read(&files, "labs", Problems::default()).unwrap();
        let names: Vec<(&str, &str)> = labs.iter().map(|it| (it.name.as_str(), it.lab.title.as_str())).collect();
        assert_eq!(names, [("one", "One"), ("two", "Two")]);
        let again = read(&unpacked(&labs[1].archive).unwrap(), "two", Problems::default()).unwrap();
        assert_eq!((again[0].name.as_str(), &again[0].lab), ("two", &labs[1].lab));
        let nothing = read(&MemoryFiles::default(), "x", Problems::default()).err().unwrap().to_string();
        assert!(nothing.contains("no lab"), "{nothing}");
    }

    #[test]
    fn names_are_such_as_labs_have() {
        let name = name();
        assert!(
            name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{name}"
        );
    }
}
