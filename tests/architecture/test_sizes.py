"""How long files and functions may be."""

from statistics import median, quantiles

from tests.architecture.source import modules

FILE_CEILING = 400
FILE_MEDIAN = 150
FUNCTION_MEDIAN = 10
FUNCTION_95TH_PERCENTILE = 40


def test_no_file_is_over_the_ceiling() -> None:
    """A file that outgrows the ceiling holds two things."""
    lengths = {
        str(module.path): len(module.text.splitlines()) for module in modules("service", "tests")
    }
    assert {path: length for path, length in lengths.items() if length > FILE_CEILING} == {}


def test_files_are_short() -> None:
    """Half of the service's files fit on a few screens."""
    lengths = [len(module.text.splitlines()) for module in modules("service") if module.tree.body]
    assert median(lengths) <= FILE_MEDIAN


def test_functions_are_short() -> None:
    """Functions do one thing: the median and the long tail stay low."""
    functions = [function for module in modules("service") for function in module.functions()]
    lengths = [length for _, length in functions]
    longest = sorted(functions, key=lambda function: -function[1])[:20]
    assert median(lengths) <= FUNCTION_MEDIAN
    assert quantiles(lengths, n=20)[-1] <= FUNCTION_95TH_PERCENTILE, longest
