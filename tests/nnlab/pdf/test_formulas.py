"""Formulas: the table of constructs, macros, tags, and what is boxed."""

import json

import pytest

from nnlab.pdf.formulas import Formulas
from nnlab.pdf.page import CannotShow
from tests.nnlab.pdf import fuzz, table

FROZEN = json.loads(table.FROZEN.read_text("utf-8"))


def test_the_table_holds_enough_constructs_and_all_are_frozen():
    drawn = [name for name, (_, boxed) in table.rows().items() if not boxed]
    assert len(drawn) >= 140
    assert FROZEN.keys() == table.rows().keys()


@pytest.mark.parametrize("group", table.groups())
def test_each_construct_looks_as_it_did_when_it_was_compared_by_eye(group):
    for name, (latex, boxed) in table.groups()[group].items():
        if boxed:
            assert table.measured(latex) == boxed, name
        else:
            *sizes, shapes = table.measured(latex)
            *frozen_sizes, frozen_shapes = FROZEN[name]
            assert sizes == pytest.approx(frozen_sizes, abs=0.03), name
            assert shapes == frozen_shapes, name


def test_the_documented_table_is_current():
    document = table.DOCUMENT.read_text("utf-8")
    assert table.with_table(document) == document


def drawn(latex, formulas=None):
    return (formulas or Formulas()).draw(latex, True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\begin{aligned}[t] a &= b \end{aligned}", r"\begin{align*} a &= b \end{align*}"),
        (r"\begin{alignat}{2} a &= b \end{alignat}", r"\begin{align} a &= b \end{align}"),
        (r"\begin{eqnarray} a &=& b \end{eqnarray}", r"\begin{align} a &= b \end{align}"),
        (r"\begin{equation} a \label{x} \end{equation}", "a"),
        (r"\operatorname{a}", r"\operatorname {a}"),
        ("a % remark", "a"),
        (r"\newcommand{\R}{\mathbb{R}} \R", r"\mathbb{R}"),
        (r"\newcommand\two[2][x]{#1#2} \two y \two[a]{b}", "xyab"),
        (r"\def\half{\frac12}\half", r"\frac12"),
        (r"\let\f\frac \f12", r"\frac12"),
        (r"\DeclareMathOperator{\diag}{diag}\diag x", r"\operatorname{diag} x"),
        (r"\text{for $x$ in}", r"\text{for }x\text{ in}"),
        (r"\mathrm{d}x", r"\mathrm{d} x"),
        (r"x \not= y", r"x \neq y"),
        (r"\pmatrix{a & b \cr c & d}", r"\begin{pmatrix}a & b\\ c & d\end{pmatrix}"),
        (r"a &= b \\ &= c", r"\begin{align}a &= b \\ &= c\end{align}"),
        ("x\u202e", "x"),
    ],
)
def test_what_mathjax_reads_alike_is_drawn_alike(one, other):
    assert drawn(one).svg == drawn(other).svg


@pytest.mark.parametrize("operator", [r"\operatorname*{arg\,min}", r"\mathop{\mathrm{arg\,min}}"])
def test_limits_of_an_operator_stand_below_it_in_display_and_beside_it_in_text(operator):
    formulas = Formulas()
    latex = operator + "_{w} E"
    assert formulas.draw(latex, True).depth > formulas.draw(latex, False).depth
    assert formulas.draw(latex, True).width < formulas.draw(latex, False).width


def test_a_minus_is_an_operation_between_letters_and_a_sign_before_one():
    difference, product = drawn("a-b").width, drawn("ab").width
    sign = drawn("(-b)").width - drawn("(b)").width
    assert difference - product > sign + 0.3


def test_macros_last_from_one_formula_to_the_next():
    formulas = Formulas()
    assert formulas.draw(r"\newcommand{\R}{\mathbb{R}}", True).width == 0
    assert formulas.draw(r"\R", True).svg == drawn(r"\mathbb{R}").svg
    formulas.draw(r"\renewcommand{\R}{r}", True)
    assert formulas.draw(r"\R", True).svg == drawn("r").svg


def test_a_redefined_macro_is_not_answered_from_the_cache():
    formulas = Formulas()
    formulas.draw(r"\def\a{x} \a", True)
    assert formulas.draw(r"\def\a{yy} \a", True).width > formulas.draw("x", True).width


def test_tags_stand_on_the_baselines_of_their_rows():
    drawing = drawn(r"\begin{align} a &= b \tag{1} \\ c &= d \\ e &= f \tag*{*} \end{align}")
    (first, top), (last, bottom) = drawing.tags
    assert (first, last) == ("(1)", "*")
    assert 0 < top < drawing.height / 3
    assert drawing.height * 2 / 3 < bottom <= drawing.height


def test_references_find_the_tag_of_their_label():
    formulas = Formulas()
    formulas.draw(r"x \tag{7} \label{seven}", True)
    assert formulas.draw(r"\eqref{seven}", True).svg == drawn(r"\text{(}\text{7}\text{)}").svg
    assert formulas.draw(r"\ref{none}", True).svg == drawn(r"\text{???}").svg


@pytest.mark.parametrize(
    "latex",
    [
        r"\def\a{\a}\a",
        r"\def\a{xx}\def\b{\a\a\a\a}\def\c{\b\b\b\b}\def\d{\c\c\c\c}\def\e{\d\d\d\d}" + r"\e" * 900,
        "{" * 3000 + "x" + "}" * 3000,
        r"\sqrt{" * 400 + "x" + "}" * 400,
        "x" * 30_000,
    ],
)
def test_what_grows_without_bounds_is_refused(latex):
    with pytest.raises(CannotShow):
        drawn(latex)


@pytest.mark.parametrize("command", [r"\frac{a}", r"\hphantom", r"\phantom", r"\sqrt", r"\boxed"])
def test_nesting_does_not_double_the_work_on_each_level(command):
    drawn("y +" + f"{command}{{" * 25 + "x" + "}" * 25)  # Takes hours where each level doubles it.


def test_mutated_formulas_are_drawn_or_refused():
    count, _ = fuzz.try_formulas(250, seed=1)
    assert 25 < count < 225
