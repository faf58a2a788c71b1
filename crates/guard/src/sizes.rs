//! Ceilings on the length of files and functions, and the floor under the amount of tests.
//!
//! How lines are counted: for the ceilings every line that is not blank, comments included; for the ratio lines of code
//! only, on both sides, because every public item must have its documentation and hardly a test needs any. Lines of an item under `#[cfg(test)]`, of a
//! file `tests.rs`, of a folder `tests` and of the crates `testkit` and `bucketkit` are test lines; all others are production lines.
//! A file of which nothing is production counts for no ceiling on files. Functions are counted from `fn` to the
//! closing brace, production ones only (clippy counts those of tests). Measurements in `bench` keep the ceilings and
//! count on neither side of the ratio.

use crate::source::{Source, item_end};
use std::collections::BTreeMap;

const FILE_MEDIAN: usize = 110;
const FILE_P95: usize = 350;
const FILE_MAX: usize = 600;
const FUNCTION_P95: usize = 45;
const FUNCTION_MAX: usize = 80;
/// The longest tests that may stand in the file that they test.
const INLINE_TESTS_MAX: usize = 150;
/// Least test lines for each production line.
const TESTS_PER_PRODUCTION: f64 = 0.8;

/// What was counted in one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Measured {
    path: String,
    crate_name: String,
    production: usize,
    test: usize,
    /// Of these, lines that are more than a comment.
    production_code: usize,
    test_code: usize,
    functions: Vec<Function>,
}

#[derive(Debug, Clone, PartialEq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Counts a file.
pub(crate) fn measure(source: &Source) -> Measured {
    let written: Vec<bool> = source.text.lines().map(|line| !line.trim().is_empty()).collect();
    let tests = test_lines(source);
    let is_code = |line: &str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let code: Vec<bool> = source.text.lines().map(is_code).collect();
    let of_tests = |lines: &[bool]| lines.iter().zip(&tests).filter(|(line, test)| **line && **test).count();
    let all = |lines: &[bool]| lines.iter().filter(|line| **line).count();
    let (test, test_code) = (of_tests(&written), of_tests(&code));
    Measured {
        path: source.path.clone(),
        crate_name: source.crate_name().to_owned(),
        production: all(&written) - test,
        test,
        production_code: all(&code) - test_code,
        test_code,
        functions: functions(&source.code, &written, &tests),
    }
}

/// For each line, whether it belongs to tests.
fn test_lines(source: &Source) -> Vec<bool> {
    const MARK: &str = "#[cfg(test)]";
    let mut tests = vec![source.is_test(); source.text.lines().count()];
    let mut from = 0;
    while let Some(at) = source.code[from..].find(MARK).map(|at| from + at) {
        let end = item_end(&source.code, at + MARK.len());
        let (first, last) = (line_of(&source.code, at), line_of(&source.code, end.saturating_sub(1)));
        tests[first..=last].fill(true);
        from = end;
    }
    tests
}

fn functions(code: &str, written: &[bool], tests: &[bool]) -> Vec<Function> {
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = item_end(code, at);
        let line = line_of(code, at);
        if before.is_alphanumeric() || before == '_' || name.is_empty() || tests[line] || code[at..end].ends_with(';') {
            continue;
        }
        let last = line_of(code, end - 1);
        let lines = written[line..=last].iter().filter(|written| **written).count();
        functions.push(Function { name, line: line + 1, lines });
    }
    functions
}

fn line_of(code: &str, at: usize) -> usize {
    code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// The figures in one line.
pub(crate) fn summary(measured: &[Measured]) -> String {
    let (files, functions) = (file_lengths(measured), function_lengths(measured));
    let (production, test) = totals(measured);
    format!(
        "{} production files of median {}, p95 {}, most {} lines; {} functions of p95 {}, most {} lines; \
         {production} production and {test} test lines of code",
        files.len(),
        percentile(&files, 50),
        percentile(&files, 95),
        percentile(&files, 100),
        functions.len(),
        percentile(&functions, 95),
        percentile(&functions, 100),
    )
}

/// Production and test lines of each crate, one line each.
pub(crate) fn by_crate(measured: &[Measured]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
    for file in measured {
        crates.entry(&file.crate_name).or_default().push(file.clone());
    }
    let line = |(name, files): (&&str, &Vec<Measured>)| {
        let (production, test) =
            files.iter().fold((0, 0), |sum, file| (sum.0 + file.production_code, sum.1 + file.test_code));
        format!("{name:<12} {production:>6} production {test:>6} test   {:.2}", ratio(test, production))
    };
    crates.iter().map(line).collect()
}

/// Everything beyond a ceiling.
pub(crate) fn check(measured: &[Measured]) -> Vec<String> {
    let mut findings = Vec::new();
    let (files, functions) = (file_lengths(measured), function_lengths(measured));
    let mut ceiling = |what: &str, value: usize, most: usize| {
        if value > most {
            findings.push(format!("{what} is {value} lines, the ceiling is {most}"));
        }
    };
    ceiling("the median production file", percentile(&files, 50), FILE_MEDIAN);
    ceiling("the 95th percentile of production files", percentile(&files, 95), FILE_P95);
    ceiling("the 95th percentile of functions", percentile(&functions, 95), FUNCTION_P95);
    for file in measured {
        ceiling(&file.path, file.production, FILE_MAX);
        if file.production > 0 {
            ceiling(&format!("{}: its tests", file.path), file.test, INLINE_TESTS_MAX);
        }
        for function in &file.functions {
            let what = format!("{}:{}: function {}", file.path, function.line, function.name);
            ceiling(&what, function.lines, FUNCTION_MAX);
        }
    }
    let (production, test) = totals(measured);
    let ratio = ratio(test, production);
    if ratio < TESTS_PER_PRODUCTION {
        findings.push(format!("{ratio:.2} test lines for each production line, the floor is {TESTS_PER_PRODUCTION}"));
    }
    findings
}

fn file_lengths(measured: &[Measured]) -> Vec<usize> {
    measured.iter().map(|file| file.production).filter(|lines| *lines > 0).collect()
}

fn function_lengths(measured: &[Measured]) -> Vec<usize> {
    measured.iter().flat_map(|file| &file.functions).map(|function| function.lines).collect()
}

/// Production and test lines, without the measurements.
fn totals(measured: &[Measured]) -> (usize, usize) {
    let counted = measured.iter().filter(|file| file.crate_name != "bench");
    counted.fold((0, 0), |(production, test), file| (production + file.production_code, test + file.test_code))
}

fn ratio(test: usize, production: usize) -> f64 {
    let as_f64 = |lines: usize| u32::try_from(lines).map_or(f64::MAX, f64::from);
    as_f64(test) / as_f64(production.max(1))
}

/// The nearest-rank percentile; 0 of nothing.
fn percentile(lengths: &[usize], percent: usize) -> usize {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
