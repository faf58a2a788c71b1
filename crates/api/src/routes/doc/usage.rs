//! What workspaces used.

use crate::describe::Doc;
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::UsageView;

const UNITS: &str = "CPU is what was really used, in hours of one core. Memory is what was reserved, used or not, in GB of \
    1,024 MB times hours. Both are counted up to the last minute. Saves are what is kept now, in bytes.";

fn course(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The course's id")
        .refuses(404, "not_found", "There is no such course, or not for you")
        .owners_or(WriteAllContainers)
}

pub fn of_course() -> Doc {
    course("show_course_usage", "Show what workspaces used for a course")
        .about(&format!("Of everybody for those who give it, of themselves for students. {UNITS}"))
        .lists::<UsageView>("What each used, by their accounts")
}

pub fn export() -> Doc {
    let example = "username,name,course,cpu_hours,memory_gb_hours,save_bytes,since,until\r\n\
        clare,Clare Li,cs-101,1.250000,12.500000,50331648,2026-09-01T08:00:00.000Z,2026-11-21T22:10:06.120Z\r\n";
    course("export_course_usage", "Export what workspaces used for a course as a table")
        .about(
            "Comma-separated, UTF-8 with a mark, one row for each. A cell that a spreadsheet would take for a formula \
             begins with an apostrophe.",
        )
        .answers_text("text/csv", "The table", example)
}

pub fn of_all() -> Doc {
    Doc::new("list_usage", "List what everybody's workspaces used")
        .about(&format!("By accounts and courses. {UNITS}"))
        .lists::<UsageView>("What each used for each course, and for none")
}
