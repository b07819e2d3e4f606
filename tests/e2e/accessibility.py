"""Finds what keeps people from using a page: missing names, faint text, invisible focus."""

from playwright.async_api import Page

# After WCAG 2.2: 4.1.2 and 3.3.2 (names), 1.4.3 (contrast), 4.1.1 (ids), 1.3.1 (structure).
_PROBLEMS = """() => {
  const problems = []
  const shown = element => element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
  const say = (element, text) => problems.push(
    `${element.tagName.toLowerCase()}#${element.id} "${element.textContent.trim().slice(0, 30)}": ${text}`)

  const one = selector => document.querySelectorAll(selector).length === 1
  for (const selector of ['h1', 'main']) if (!one(selector)) problems.push(`not one ${selector}`)
  if (!document.title) problems.push('no title')
  if (!document.documentElement.lang) problems.push('no language')

  const ids = [...document.querySelectorAll('[id]')].map(element => element.id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`id ${id} twice`)

  for (const field of document.querySelectorAll('input:not([type=hidden]), select')) {
    const label = [...field.labels].map(label => label.textContent.trim()).join('')
    if (!label && !field.ariaLabel) say(field, 'has no label')
    const described = field.getAttribute('aria-describedby')
    if (field.ariaInvalid === 'true' && !document.getElementById(described)?.textContent.trim())
      say(field, 'is invalid without a reason')
  }
  for (const control of document.querySelectorAll('button, a, summary'))
    if (!control.ariaHidden && !control.textContent.trim() && !control.ariaLabel) say(control, 'has no name')

  const rgb = colour => {
    const parts = colour.match(/^rgba?\\((.+)\\)$/)
    if (!parts) throw new Error(`cannot read the colour ${colour}`)
    const [r, g, b, alpha = 1] = parts[1].split(/[ ,/]+/).map(Number)
    return [r, g, b, alpha * 255]
  }
  const luminance = colour => {
    const [r, g, b] = rgb(colour).slice(0, 3)
      .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor
      if (rgb(colour)[3] === 255) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const judge = (element, colour) => {
    const style = getComputedStyle(element)
    const [light, dark] = [luminance(colour), luminance(ground(element))].sort((a, b) => b - a)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < (isLarge ? 3 : 4.5)) say(element, `has a contrast of ${ratio.toFixed(2)}`)
  }
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement
    if (text.textContent.trim() && shown(element)) judge(element, getComputedStyle(element).color)
  }
  for (const field of document.querySelectorAll('input:not([type=hidden]), select'))
    if (shown(field)) judge(field, getComputedStyle(field).color)
  return problems
}"""

_FOCUS = """() => {
  const element = document.activeElement
  if (!element || element === document.body) return null
  const style = getComputedStyle(element)
  const box = element.getBoundingClientRect()
  return {
    name: element.name || element.textContent.trim(),
    value: element.value ?? '',
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    isInView: box.width > 1 && box.height > 1,
  }
}"""


async def problems(page: Page) -> list[str]:
    """Return everything that is wrong with what a page shows now."""
    # Before its styles are there, a page has none of its colours.
    await page.wait_for_load_state()
    found: list[str] = await page.evaluate(_PROBLEMS)
    return found


async def focus_stops(page: Page) -> list[str]:
    """Walk through a page with the tab key; return the names of its stops.

    Raises AssertionError at a stop that a sighted user could not see.
    """
    stops: list[str] = []
    await page.evaluate("document.activeElement.blur()")
    while True:
        await page.keyboard.press("Tab")
        stop = await page.evaluate(_FOCUS)
        if stop is None or stop["name"] in stops[:1]:
            return stops
        assert stop["outline"] >= 2, f"focus on {stop['name']} cannot be seen"
        assert stop["isInView"], f"focus on {stop['name']} is on nothing visible"
        stops.append(stop["name"])
