//! Counting, and that each ceiling can be hit.

use super::*;

fn measured(path: &str, text: &str) -> Measured {
    measure(&Source::new(path, text))
}

/// A production file of so many lines, with as many lines of tests beside it.
fn file(lines: usize) -> Measured {
    Measured { path: "crates/a/src/b.rs".to_owned(), production: lines, production_code: lines, ..Measured::default() }
}

fn enough_tests() -> Measured {
    Measured { path: "crates/a/tests/b.rs".to_owned(), test: 100_000, test_code: 100_000, ..Measured::default() }
}

#[test]
fn lines_are_told_apart() {
    let text = "//! About.\n\nfn f() {\n    // why\n    g(\"#[cfg(test)]\");\n}\n\n#[cfg(test)]\nfn only_here() {\n}\n\nfn g() {}\n\n\
                #[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n";
    let file = measured("crates/a/src/b.rs", text);
    assert_eq!((file.production, file.test), (6, 8));
    let names: Vec<_> = file.functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(names, [("f", 3, 4), ("g", 12, 1)]);
}

#[test]
fn a_test_file_has_no_production_lines() {
    let file = measured("crates/a/src/b/tests.rs", "//! Tests.\n\nfn helper() {}\n");
    assert_eq!((file.production, file.test, file.functions.len()), (0, 2, 0));
}

#[test]
fn declarations_and_pointers_are_not_functions() {
    let file = measured("crates/a/src/b.rs", "trait T {\n    fn f(&self, a: [u8; 2]);\n}\ntype P = fn (u8);\n");
    assert!(file.functions.is_empty(), "{:?}", file.functions);
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let lengths: Vec<usize> = (1..=20).rev().collect();
    let found: Vec<usize> = [50, 95, 96, 100].iter().map(|percent| percentile(&lengths, *percent)).collect();
    assert_eq!(found, [10, 19, 20, 20]);
    assert_eq!(percentile(&[], 95), 0);
}

#[test]
fn sizes_below_the_ceilings_pass() {
    let mut files = vec![file(FILE_MEDIAN); 20];
    files[0] = file(FILE_MAX);
    files.push(enough_tests());
    assert_eq!(check(&files), Vec::<String>::new());
}

#[test]
fn each_ceiling_on_files_can_be_hit() {
    let median = vec![file(FILE_MEDIAN + 1), enough_tests()];
    assert_eq!(check(&median), ["the median production file is 111 lines, the ceiling is 110"]);

    let mut p95 = vec![file(1); 20];
    p95[0] = file(FILE_P95 + 1);
    p95[1] = file(FILE_P95 + 1);
    p95.push(enough_tests());
    assert_eq!(check(&p95), ["the 95th percentile of production files is 351 lines, the ceiling is 350"]);

    let mut longest = vec![file(1); 20];
    longest[0] = file(FILE_MAX + 1);
    longest.push(enough_tests());
    assert_eq!(check(&longest), ["crates/a/src/b.rs is 601 lines, the ceiling is 600"]);
}

#[test]
fn each_ceiling_on_functions_can_be_hit() {
    let with = |lines: usize| {
        let text = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
        vec![measured("crates/a/src/b.rs", &text), enough_tests()]
    };
    assert_eq!(check(&with(FUNCTION_P95)), Vec::<String>::new());
    assert_eq!(check(&with(46)), ["the 95th percentile of functions is 46 lines, the ceiling is 45"]);
    let found = check(&with(81));
    assert_eq!(found[1..], ["crates/a/src/b.rs:1: function f is 81 lines, the ceiling is 80"]);
}

#[test]
fn too_few_tests_and_too_long_ones_in_place_are_found() {
    assert_eq!(check(&[file(10)]), ["0.00 test lines for each production line, the floor is 0.8"]);
    let inline = Measured { test: INLINE_TESTS_MAX + 1, test_code: 100, ..file(100) };
    assert_eq!(check(&[inline]), ["crates/a/src/b.rs: its tests is 151 lines, the ceiling is 150"]);
}

#[test]
fn comments_count_for_the_ceilings_only() {
    let source = Source::new("crates/a/src/b.rs", "//! What it is.\n\n/// What it does.\nfn f() {}\n");
    let measured = measure(&source);
    assert_eq!((measured.production, measured.production_code), (3, 1));
}

#[test]
fn measurements_are_no_part_of_the_ratio() {
    let bench = Measured { crate_name: "bench".to_owned(), ..file(100) };
    let tests = Measured { test: 8, test_code: 8, ..Measured::default() };
    assert_eq!(check(&[bench, file(10), tests]), Vec::<String>::new());
}
