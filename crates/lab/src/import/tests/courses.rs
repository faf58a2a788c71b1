//! Courses that are written badly, twice, or for more than there is here.

use super::found;

const SCENARIO: &str = "{\"details\": {}}";

#[test]
fn a_course_that_is_no_json_leaves_the_order_to_the_names() {
    let (places, problems) = found(&[
        ("structure.json", "{\"items\": [{\"path\": \"b\"}\n{}]}"),
        ("b/index.json", SCENARIO),
        ("a/index.json", SCENARIO),
    ]);
    assert_eq!(places, ["katacoda a", "katacoda b"]);
    assert_eq!(problems, ["structure.json:2: this is not JSON: a comma or ] is missing"]);
}

#[test]
fn a_course_of_another_shape_orders_nothing() {
    for text in
        ["[]", "\"x\"", "{}", "{\"items\": 5}", "{\"items\": [1, null, {\"title\": \"x\"}, {\"path\": [\"b\"]}]}"]
    {
        let (places, problems) =
            found(&[("structure.json", text), ("b/index.json", SCENARIO), ("a/index.json", SCENARIO)]);
        assert_eq!(places, ["katacoda a", "katacoda b"], "{text}");
        assert_eq!(problems, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_course_may_name_a_folder_with_several_labs_and_one_of_them_before() {
    let (places, problems) = found(&[
        ("structure.json", "{\"items\": [{\"path\": \"/part/2\"}, {\"path\": \"./part\"}, {\"path\": \"part/2\"}]}"),
        ("part/1/index.json", SCENARIO),
        ("part/2/index.json", SCENARIO),
        ("part/10/index.json", SCENARIO),
        ("a/index.json", SCENARIO),
    ]);
    assert_eq!(places, ["katacoda part/2", "katacoda part/1", "katacoda part/10", "katacoda a"]);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_folder_has_an_order_of_its_own_within_that_of_the_course() {
    let (places, problems) = found(&[
        ("structure.json", "{\"items\": [{\"path\": \"z\"}, {\"path\": \"y\"}]}"),
        ("z/structure.json", "{\"items\": [{\"path\": \"two\"}, {\"path\": \"one\"}]}"),
        ("z/one/index.json", SCENARIO),
        ("z/two/index.json", SCENARIO),
        ("y/index.json", SCENARIO),
    ]);
    assert_eq!(places, ["katacoda z/two", "katacoda z/one", "katacoda y"]);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn the_scenarios_of_a_pathway_may_lie_beside_it() {
    let (places, problems) = found(&[
        ("x/basics-pathway.json", "{\"courses\": [\n{\"course_id\": \"b\"},\n{\"course_id\": \"c\"}]}"),
        ("x/a/index.json", SCENARIO),
        ("x/b/index.json", SCENARIO),
    ]);
    assert_eq!(places, ["katacoda x/b", "katacoda x/a"]);
    assert_eq!(problems, ["x/basics-pathway.json:3: there is no lab in x/c, which the course names"]);
}

#[test]
fn a_portal_that_is_no_yaml_or_offers_nothing_orders_nothing() {
    for (text, wrong) in [
        ("spec: [\n", true),
        ("spec:\n  workshops: none\n", false),
        ("spec:\n  workshops:\n  - {title: b}\n  - [b]\n", false),
        ("", false),
    ] {
        let (places, problems) =
            found(&[("trainingportal.yaml", text), ("b/workshop/content/1.md", "x"), ("a/workshop/content/1.md", "x")]);
        assert_eq!(places, ["educates a", "educates b"], "{text}");
        assert_eq!(problems.len(), usize::from(wrong), "{text}: {problems:?}");
        assert!(problems.iter().all(|problem| problem.starts_with("trainingportal.yaml:")), "{problems:?}");
    }
}

#[test]
fn a_portal_orders_workshops_and_not_scenarios_of_the_same_name() {
    let (places, problems) = found(&[
        ("trainingportal.yaml", "spec:\n  workshops:\n  - name: z\n"),
        ("z/index.json", SCENARIO),
        ("a/index.json", SCENARIO),
        ("deep/a/workshop/content/1.md", "x"),
        ("deep/z/workshop/content/1.md", "x"),
    ]);
    assert_eq!(places, ["katacoda a", "educates deep/z", "educates deep/a", "katacoda z"]);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn what_is_nearly_the_mark_of_a_lab_is_none() {
    let document = |kind: &str| format!("---\ntitle: x\nkind: {kind}\n---\nx\n");
    let (course, quoted, unit) = (document("course"), document("\"tutorial\""), document("unit"));
    let (places, problems) = found(&[
        ("a/index.md", &course),
        ("b/index.md", &quoted),
        ("c/index.md", &unit),
        ("d/index.md", "kind: challenge\n"),
        ("e/Index.md", &quoted),
        ("f/_posts/deeper/2020-01-01-a.md", "x"),
        ("g/_posts/2020-01-01-a.html", "x"),
        ("h/workshop/content/a.txt", "x"),
        ("i/workshop/contents/a.md", "x"),
        ("j/index.json", "{\"backend\": {}}"),
        ("k/.hidden/_posts/2020-01-01-a.md", "x"),
    ]);
    assert_eq!(places, ["iximiuz b", "katacoda j"]);
    assert_eq!(problems, Vec::<String>::new());
}
