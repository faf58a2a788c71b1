//! Which steps of two versions of a lab are the same.

use crate::model::{Check, Lab, Page, Setup, Step};
use std::collections::BTreeMap;

/// Where each step of one version is in another, for those that are the same there: what students read, what is run at the
/// first visit, and what is checked. Equal steps are matched in their order.
pub(super) fn places(from: &Lab, to: &Lab) -> BTreeMap<u32, u32> {
    if from.variables != to.variables {
        // Values differ, so what was done with the old ones would not do.
        return BTreeMap::new();
    }
    let mut taken = vec![false; to.steps.len()];
    let mut places = BTreeMap::new();
    for (number, step) in (0..).zip(&from.steps) {
        let same = (0..to.steps.len()).find(|at| !taken[*at] && are_same(step, &to.steps[*at]));
        if let Some(at) = same {
            taken[at] = true;
            places.insert(number, at as u32);
        }
    }
    places
}

fn are_same(one: &Step, other: &Step) -> bool {
    is_same_page(&one.page, &other.page)
        && one.translations.len() == other.translations.len()
        && one.translations.iter().all(|(language, page)| {
            other.translations.get(language).is_some_and(|translated| is_same_page(page, translated))
        })
        && one.checks.len() == other.checks.len()
        && one.checks.iter().zip(&other.checks).all(|(one, other)| is_same_check(one, other))
        && one.setup.len() == other.setup.len()
        && one.setup.iter().zip(&other.setup).all(|(one, other)| is_same_setup(one, other))
}

fn is_same_page(one: &Page, other: &Page) -> bool {
    (&one.title, &one.text) == (&other.title, &other.text)
}

/// Wherever its script stands.
fn is_same_check(one: &Check, other: &Check) -> bool {
    one.script.text == other.script.text && *one == Check { script: one.script.clone(), ..other.clone() }
}

fn is_same_setup(one: &Setup, other: &Setup) -> bool {
    one.script.text == other.script.text && *one == Setup { script: one.script.clone(), ..other.clone() }
}
