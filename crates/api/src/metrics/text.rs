//! The text form of measurements. Pure.

use pierhead_controller::measured::Reading;
use std::fmt::Write;

/// What a family of measurements is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only rises, but for restarts.
    Counter,
    /// It rises and falls.
    Gauge,
    /// Counts by upper bounds.
    Histogram,
}

/// All families.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// One family: its samples come right after its head.
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Page {
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: self, name }
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to memory does not fail");
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.named("", labels, value);
    }

    pub fn histogram(&mut self, labels: &[(&str, &str)], reading: &Reading) {
        for (bound, count) in &reading.buckets {
            self.named("_bucket", &[labels, &[("le", &bound.to_string())]].concat(), *count as f64);
        }
        self.named("_bucket", &[labels, &[("le", "+Inf")]].concat(), reading.count as f64);
        self.named("_sum", labels, reading.sum_seconds);
        self.named("_count", labels, reading.count as f64);
    }

    fn named(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let name = self.name;
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.page.line(format_args!("{name}{suffix}{labels} {value}\n"));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_looks_like() {
        let mut page = Page::default();
        let mut family = page.family("a_total", Kind::Counter, "One\\two\nthree.");
        family.sample(&[], 3.0);
        family.sample(&[("host", "a\"b\\c\nd"), ("x", "")], 0.25);
        let reading = Reading { buckets: vec![(0.001, 1), (1.0, 2)], count: 3, sum_seconds: 7.5 };
        page.family("b_seconds", Kind::Histogram, "B.").histogram(&[("route", "/x")], &reading);
        page.family("empty", Kind::Gauge, "None.");
        let expected = r#"# HELP a_total One\\two\nthree.
# TYPE a_total counter
a_total 3
a_total{host="a\"b\\c\nd",x=""} 0.25
# HELP b_seconds B.
# TYPE b_seconds histogram
b_seconds_bucket{route="/x",le="0.001"} 1
b_seconds_bucket{route="/x",le="1"} 2
b_seconds_bucket{route="/x",le="+Inf"} 3
b_seconds_sum{route="/x"} 7.5
b_seconds_count{route="/x"} 3
# HELP empty None.
# TYPE empty gauge
"#;
        assert_eq!(page.into_text(), expected);
    }
}
