//! Labs as they are shown: pages, tables of contents, differences, and what is wrong.

use pierhead_controller::{ImportedLab, LabDifference, LabFile, LabFileChange, LabOutline, LabOutlineStep};
use pierhead_lab::{Check, ImageTable, LabPath, MappedTo, Problem, RenderedPage, Report, Severity, StepLine, When};
use pierhead_wire::{
    FieldError, LabBlockView, LabCheckView, LabDiffView, LabFileDiffView, LabFileView, LabImageView, LabImagesView,
    LabImportView, LabOutlineView, LabPageView, LabPlaceView, LabProblemView, LabReportView, LabStepLineView,
    LabStepView, LabTerminalView, LabView,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wrong, and where.
pub(crate) fn lab_problem(problem: &Problem) -> LabProblemView {
    LabProblemView {
        file: problem.file.clone(),
        line: problem.line,
        message: problem.message.clone(),
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
        .to_owned(),
    }
}

/// A file of a lab.
pub(crate) fn lab_file(path: &LabPath, file: &LabFile) -> LabFileView {
    LabFileView {
        path: path.to_string(),
        digest: file.digest.to_string(),
        bytes: file.bytes,
        executable: file.executable,
    }
}

/// A table of contents.
pub(crate) fn lab_outline(outline: &LabOutline) -> LabOutlineView {
    let step = |step: &LabOutlineStep| LabStepView {
        title: step.title.clone(),
        file: step.file.as_ref().map(ToString::to_string),
        checks: step.checks as u64,
        quizzes: step.quizzes as u64,
    };
    let terminal = |(name, container): &(String, Option<String>)| LabTerminalView {
        name: name.clone(),
        container: container.clone(),
    };
    LabOutlineView {
        title: outline.title.clone(),
        summary: outline.summary.clone(),
        languages: outline.languages.clone(),
        terminals: outline.terminals.iter().map(terminal).collect(),
        steps: outline.steps.iter().map(step).collect(),
        problems: outline.problems.iter().map(lab_problem).collect(),
    }
}

/// A page with the checks of its step.
pub(crate) fn lab_page(page: &RenderedPage, checks: &[Check]) -> LabPageView {
    let block = |block: &pierhead_lab::RenderedBlock| {
        let mut rest: BTreeMap<String, Value> =
            serde_json::to_value(block).and_then(serde_json::from_value).unwrap_or_default();
        let kind = rest.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        LabBlockView { kind, rest }
    };
    LabPageView {
        title: page.title.clone(),
        html: page.html.clone(),
        blocks: page.blocks.iter().map(block).collect(),
        checks: checks.iter().map(lab_check).collect(),
        problems: Vec::new(),
        step: None,
    }
}

/// What is shown of a file that is no page.
pub(crate) fn no_lab_page() -> LabPageView {
    lab_page(&RenderedPage { title: String::new(), html: String::new(), blocks: Vec::new() }, &[])
}

/// A check, as students see it.
pub(crate) fn lab_check(check: &Check) -> LabCheckView {
    let continuous = matches!(check.when, When::Continuous { .. });
    LabCheckView { name: check.name.clone(), title: check.title.clone(), continuous }
}

/// How two states differ.
pub(crate) fn lab_difference(difference: &LabDifference) -> LabDiffView {
    let file = |change: &LabFileChange| LabFileDiffView {
        path: change.path.to_string(),
        kind: match (&change.before, &change.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
        .to_owned(),
        bytes_before: change.before.as_ref().map_or(0, |file| file.bytes),
        bytes: change.after.as_ref().map_or(0, |file| file.bytes),
        text: change.lines.clone(),
    };
    LabDiffView { files: difference.files.iter().map(file).collect(), has_more: difference.has_more }
}

/// What came of an import.
pub(crate) fn lab_import(imported: &ImportedLab) -> LabImportView {
    LabImportView { lab: imported.lab.as_ref().map(|lab| LabView::of(lab, true)), report: lab_report(&imported.report) }
}

fn lab_report(report: &Report) -> LabReportView {
    let place = |lab: &pierhead_lab::LabLine| LabPlaceView {
        path: lab.path.clone(),
        format: lab.format.to_string(),
        title: lab.title.clone(),
        steps: lab.steps as u64,
    };
    let step = |step: &StepLine| LabStepLineView {
        title: step.title.clone(),
        blocks: step.blocks as u64,
        checks: step.checks as u64,
        previews: step.previews as u64,
        images: step.images as u64,
        hints: step.hints as u64,
        quizzes: step.quizzes as u64,
    };
    LabReportView {
        format: report.format.map(|format| format.to_string()),
        title: report.title.clone(),
        labs: report.labs.iter().map(place).collect(),
        steps: report.steps.iter().map(step).collect(),
        problems: report.problems.iter().map(lab_problem).collect(),
    }
}

/// The table of images.
pub(crate) fn lab_images(table: &ImageTable) -> LabImagesView {
    let image = |mapped: &MappedTo| match mapped {
        MappedTo::Environment(name) => LabImageView { environment: Some(name.clone()), ..LabImageView::default() },
        MappedTo::Image { image, privileged } => {
            LabImageView { environment: None, image: Some(image.clone()), privileged: *privileged }
        }
    };
    let images = table.images.iter().map(|(name, mapped)| (name.clone(), image(mapped)));
    LabImagesView { images: images.collect(), otherwise: image(&table.otherwise) }
}

/// The table that is meant by what was sent.
pub(crate) fn image_table(view: &LabImagesView) -> Result<ImageTable, FieldError> {
    let mapped = |field: String, view: &LabImageView| match (&view.environment, &view.image) {
        (Some(name), None) if !view.privileged => Ok(MappedTo::Environment(name.clone())),
        (None, Some(image)) => Ok(MappedTo::Image { image: image.clone(), privileged: view.privileged }),
        _ => Err(FieldError::new(field, "either an environment, or an image that may be privileged")),
    };
    let shown = |name: &str| name.chars().take(64).collect::<String>();
    let images =
        view.images.iter().map(|(name, view)| Ok((name.clone(), mapped(format!("images.{}", shown(name)), view)?)));
    let images = images.collect::<Result<_, FieldError>>()?;
    Ok(ImageTable { images, otherwise: mapped("otherwise".to_owned(), &view.otherwise)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_shown_as_it_is_read() {
        let table = ImageTable::default();
        assert_eq!(image_table(&lab_images(&table)).unwrap(), table);
        let mut view = lab_images(&table);
        view.images.insert("odd".to_owned(), LabImageView::default());
        assert_eq!(image_table(&view).unwrap_err().field, "images.odd");
        view.images.clear();
        view.otherwise.environment = Some("shell".to_owned());
        assert_eq!(image_table(&view).unwrap_err().field, "otherwise");
    }

    #[test]
    fn a_block_says_its_kind_and_what_it_has() {
        let block = pierhead_lab::RenderedBlock::Preview {
            text: "open".to_owned(),
            container: None,
            port: 8000,
            path: "/".to_owned(),
        };
        let page = RenderedPage { title: "T".to_owned(), html: String::new(), blocks: vec![block] };
        let view = serde_json::to_value(lab_page(&page, &[])).unwrap();
        assert_eq!(view["blocks"][0]["kind"], "preview");
        assert_eq!((&view["blocks"][0]["port"], &view["blocks"][0]["container"]), (&8000.into(), &Value::Null));
    }
}
