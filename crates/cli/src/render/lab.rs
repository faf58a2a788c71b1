//! How reports on documents of labs look.

use super::table;
use pierhead_lab::{Problem, Report, Severity, StepLine};

/// What `lab check` prints.
pub(crate) fn report(report: &Report, width: Option<u16>) -> String {
    let mut parts = vec![head(report)];
    if !report.labs.is_empty() {
        let row = |lab: &pierhead_lab::LabLine| {
            vec![lab.path.clone(), lab.format.to_string(), lab.title.clone(), lab.steps.to_string()]
        };
        parts.push(table(&["LAB", "FORMAT", "TITLE", "STEPS"], report.labs.iter().map(row), width));
    } else if !report.steps.is_empty() {
        parts.push(steps(&report.steps, width));
    }
    if !report.problems.is_empty() {
        parts.push(report.problems.iter().map(problem).collect::<Vec<_>>().join("\n"));
    }
    parts.join("\n\n")
}

fn head(report: &Report) -> String {
    let format = report.format.map_or_else(|| "no lab".to_owned(), |format| format.to_string());
    let sum = |of: fn(&StepLine) -> usize| report.steps.iter().map(of).sum::<usize>();
    let (steps, blocks, checks) = (report.steps.len(), sum(|step| step.blocks), sum(|step| step.checks));
    let labs = match report.labs.len() {
        0 => String::new(),
        count => counted(count, "lab") + ", ",
    };
    let errors = report.errors();
    let warnings = report.problems.len() - errors;
    // One that can't be read has no title.
    let name = if report.title.is_empty() { "untitled" } else { &report.title };
    let [steps, blocks, checks] = [counted(steps, "step"), counted(blocks, "block"), counted(checks, "check")];
    let [errors, warnings] = [counted(errors, "error"), counted(warnings, "warning")];
    format!("{name} ({format}): {labs}{steps}, {blocks}, {checks}; {errors}, {warnings}")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn steps(steps: &[StepLine], width: Option<u16>) -> String {
    let row = |(number, step): (usize, &StepLine)| {
        let counts =
            [step.runs, step.blocks - step.runs, step.previews, step.images, step.hints, step.quizzes, step.checks];
        let counts = counts.iter().map(|count| if *count == 0 { String::new() } else { count.to_string() });
        [(number + 1).to_string(), step.title.clone()].into_iter().chain(counts).collect()
    };
    let heads = ["STEP", "TITLE", "RUN", "COPY, EDIT", "PREVIEWS", "IMAGES", "HINTS", "QUIZZES", "CHECKS"];
    table(&heads, steps.iter().enumerate().map(row), width)
}

fn problem(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("{}:{}: {severity}: {}", problem.file, problem.line, problem.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_lab::Format;

    fn sample() -> Report {
        let step =
            |title: &str, blocks, runs| StepLine { title: title.to_owned(), blocks, runs, ..StepLine::default() };
        let problem =
            |severity| Problem { file: "lab.yaml".to_owned(), line: 3, message: "wrong".to_owned(), severity };
        Report {
            format: Some(Format::Pierhead),
            title: "Shell".to_owned(),
            labs: Vec::new(),
            steps: vec![step("First", 3, 2), step("Second", 0, 0)],
            problems: vec![problem(Severity::Error), problem(Severity::Warning)],
        }
    }

    #[test]
    fn one_lab_is_a_table_of_steps() {
        let text = report(&sample(), None);
        assert!(
            text.starts_with("Shell (pierhead): 2 steps, 3 blocks, 0 checks; 1 error, 1 warning\n\nSTEP"),
            "{text}"
        );
        assert!(text.contains("lab.yaml:3: error: wrong\nlab.yaml:3: warning: wrong"), "{text}");
        assert!(text.contains("First") && text.contains("Second"), "{text}");
    }

    #[test]
    fn several_labs_are_a_table_of_labs() {
        let line = |path: &str| pierhead_lab::LabLine {
            path: path.to_owned(),
            format: Format::Katacoda,
            title: format!("The {path}"),
            steps: 1,
        };
        let text = report(&Report { labs: vec![line("a"), line("b")], problems: Vec::new(), ..sample() }, None);
        assert!(text.contains("2 labs, 2 steps") && text.contains("The b") && !text.contains("First"), "{text}");
    }

    #[test]
    fn what_is_no_lab_says_so() {
        let text = report(&Report::refused("x.zip", "not a zip archive"), Some(80));
        assert_eq!(
            text,
            "x.zip (no lab): 0 steps, 0 blocks, 0 checks; 1 error, 0 warnings\n\nx.zip:1: error: not a zip archive"
        );
    }
}
