"""Standard terms of pricing, each with one plain sentence for a tooltip."""

from __future__ import annotations

import difflib
from typing import Final

from pricing_core.errors import ConfigError

TERMS: Final[dict[str, str]] = {
    # prices
    "list price": "The public price before any discount.",
    "offered price": "The price that a customer was shown, whether or not they bought.",
    "transaction price": "The price that was paid.",
    "current price": "The price that is in force now, before any recommendation.",
    "new price": "The price that is recommended.",
    "reference price": "The going price of a product in its market; prices are measured against it.",
    "competitor price": "What competitors ask for a comparable product.",
    "price floor": "The lowest price that a rule allows.",
    "price ceiling": "The highest price that a rule allows.",
    "price ending": "The last digits that prices must have, such as .99.",
    "price point": "One of the prices that are considered.",
    "price ladder": "The prices that are allowed, from low to high.",
    "price step ladder": "How a recommendation comes about, from the reference price to the final one, in "
    "steps of money "
    "that add up exactly.",
    "uniform price": "One price, or one percentage change, for every customer: the fair baseline for personal prices.",
    "personalized price": "A price that depends on who the customer is.",
    "discount depth": "How far a price is below the list price, as a share of the list price.",
    "markup": "Price minus unit cost, as a share of the cost.",
    "margin": "Price minus unit cost, as a share of the price.",
    "margin assumption": "The margin over price that is taken where the unit cost is not known; every "
    "profit built on it is "
    "an assumption too.",
    "unit cost": "What one more unit costs the shop.",
    "contribution margin": "Price minus unit cost, in money: what a sale contributes to fixed costs and profit.",
    # demand
    "conversion rate": "The share of offers that end in a purchase.",
    "demand curve": "How the conversion rate falls as the price rises.",
    "price sensitivity": "How fast a customer's interest falls as the price rises; always above zero.",
    "elasticity": "By how many percent the conversion rate changes when the price rises by 1%; negative "
    "for normal goods.",
    "own-price elasticity": "By how many percent sales of a product change when its own price rises by 1%.",
    "cross-price elasticity": "By how many percent sales of a product change when another product's price rises by 1%.",
    "willingness to pay": "The highest price at which a customer would still buy, with the stated probability.",
    "consumer surplus": "What customers would have been willing to pay beyond what they paid, in money.",
    "taste": "How much a customer wants a product apart from its price.",
    "supply-demand pressure": "Demand minus unit cost, divided by supply: high when a wanted product is scarce.",
    "promotion": "A period or campaign in which a product is advertised or discounted.",
    "stock": "Units available for sale.",
    "quantity": "Units bought.",
    "instrument": "Something that moved the price but not the wish to buy, such as a cost shock. With it the effect of "
    "the price can be told from what else moved demand.",
    "units": "Number of items expected to be sold.",
    "channel": "Where an offer was made, such as shop, web or app.",
    "event": "Something that a customer did: viewed a product, put it into the cart, bought or reviewed it.",
    "recency": "How long ago a customer last did something.",
    "frequency": "How often a customer bought in a period.",
    "monetary value": "How much a customer spent in a period.",
    "offer": "One occasion on which a customer saw a product at a price and bought it or not.",
    # decisions
    "pricing strategy": "A rule for setting all prices, such as one change for all, or a price per customer.",
    "status quo": "Leaving every price as it is.",
    "cost-plus": "Unit cost plus a fixed markup.",
    "competitor index": "A fixed percentage of the competitor's price.",
    "guardrail": "A rule that no recommended price may break, such as a minimum margin.",
    "binding constraint": "The rule that stopped a price from going further.",
    "margin floor": "The smallest margin that a price may leave.",
    "strict rule": "A rule that is never broken; other rules give way to it as far as needed.",
    "soft rule": "A rule that holds where it can, and gives way where it contradicts more important ones.",
    "scope": "The part of the shop for which a rule holds: a category, brand, product, segment, or all.",
    "relaxation": "The smallest change of a rule after which prices are possible again.",
    "rule receipt": "What each rule costs: what prices would earn without it, minus what they earn with it.",
    "shadow price": "What one more unit of a limit, such as stock or budget, would be worth.",
    "supported prices": "The prices that were really offered in such situations, about which past data can speak.",
    "competitor band": "Between which shares of the competitor's price a price must lie.",
    "maximum dispersion": "How far a product's highest price may be above its lowest, over all customers.",
    "equal price": "A rule that gives all products or customers of a group the same price.",
    "price order": "A rule that a small pack never costs more than a large one, or one variant more than another.",
    "price parity": "How far the average price level of one group of customers may be above that of another.",
    "discount budget": "The most that discounts from the list price may be expected to cost over the horizon.",
    "capacity": "The most units that can be sold over the horizon, such as those in stock.",
    "maximum change": "How far a new price may be from the current one.",
    "discount only": "Personal prices may go down from the public price, never up.",
    "recommendation": "The price that the workbench proposes for one row.",
    "hold": "Keep the current price, because no allowed price is better supported.",
    "infeasible": "No price satisfies all rules at once, so the current one is kept.",
    "override": "A price that a person put in place of the recommendation, with a reason.",
    "effective from": "The day on which a new price starts to hold.",
    "objective": "What the prices are chosen to make as large as possible, such as profit, revenue or conversion.",
    "frontier": "The prices of which none is better in both of two goals, such as profit and conversion.",
    "cannibalization": "Sales that a product wins from other products of the same shop.",
    "segment": "A group of offers that get the same change of price, described by a few rules.",
    "value ladder": "What each step from one change for all to personal prices adds to profit.",
    "markdown": "A price that is lowered step by step, so that the stock is sold by a date.",
    "salvage value": "What a unit brings that is left over at the end.",
    "scenario": "Assumptions about cost, competitors, demand and horizon under which strategies are compared.",
    "horizon": "The number of weeks that a simulation covers.",
    "regret": "What a choice earns less than the best possible one.",
    "revenue": "Price times units sold.",
    "profit": "Price minus unit cost, times units sold; before fixed costs.",
    "share paying less": "The share of customers whose price is below the uniform price.",
    # evidence
    "evidence": "Where the answer comes from: measured on this product, borrowed from similar ones, or extrapolated.",
    "measured": "This product was offered at enough different prices to see its own response.",
    "borrowed": "The response comes mainly from similar products and customers.",
    "extrapolated": "The price is outside those that were offered in the past; treat with care.",
    "support": "The prices at which past data can say something: those that were really offered in such situations.",
    "interval": "The range in which the true value lies with the stated probability, usually 90%.",
    "posterior draw": "One plausible version of the demand model; the spread over draws is the uncertainty.",
    "uplift": "How much more a strategy earns than leaving prices as they are.",
    "probability of loss": "How likely it is that a strategy earns less than leaving prices as they are.",
    "holdout": "Data that the models did not learn from, kept to test them.",
    "reference model": "A simple model that a better one must beat.",
    "logged data": "Past offers with the prices that were shown and what customers did.",
    "propensity": "How likely the shop was to show that price in that situation.",
    "overlap": "How far the prices of a strategy are among those that were shown in the past.",
    "effective sample size": "How many past offers really speak about a strategy, after weighting.",
    "policy value": "What a pricing strategy would have earned per offer, estimated from past data.",
    "doubly robust": "An estimate that is right if either the demand model or the price propensity is.",
    "inverse propensity weighting": "Counting past offers more when their price was rare in the past but "
    "is common in the "
    "strategy.",
    "confounding": "Past prices were high when demand was high, so that buyers look less price-sensitive "
    "than they are.",
    "endogeneity": "Prices react to demand, so that plain comparisons of high and low prices mislead.",
    # tests of prices
    "price test": "Old and new prices side by side, who gets which decided by chance, to see what the new ones earn.",
    "test arm": "The customers, groups or weeks with the new prices; control keeps the old ones.",
    "minimum detectable effect": "The smallest true change that a test of this length sees with the stated power.",
    "power": "The chance that a test shows a change when there really is one.",
    "confidence": "How often the range holds the truth; at 90%, one test in ten without an effect is a false alarm.",
    "switchback": "A test in which the whole shop or a region alternates between old and new prices, block by block.",
    "washout": "Days at the start of a block that are not counted, because the prices before still echo.",
    "intra-cluster correlation": "How alike two weeks of one customer or region are: 0 not at all, 1 the same.",
    "cuped": "Takes out of a result what was different before the test began; it narrows the range and never tilts it.",
    "a/a check": "Compares the arms before the test, when both had the same prices: a difference must be chance.",
    "sample ratio mismatch": "The arms' sizes do not fit the plan: something other than chance decided who was seen.",
    "standardized difference": "Difference between the arms in standard deviations; below 0.1 is small.",
    "backtest": "What the model says about past weeks, beside what really happened in them.",
    "ledger": "What each price list promised beside what came of it.",
    "drift": "New data look or behave differently from those that the model learned from.",
    "population stability index": "How far a column's values have moved: below 0.1 stable, above 0.25 moved a lot.",
    # quality of models
    "accuracy": "The share of offers whose outcome was predicted rightly; high by itself when purchases are rare.",
    "log loss": "How surprised the model is by what happened; lower is better.",
    "auc": "How often a purchased offer got a higher prediction than a declined one; 50% is guessing, 100% perfect.",
    "brier score": "Average squared distance between predicted probability and outcome; lower is better.",
    "calibration": "Whether predicted rates come true: of offers predicted at 10%, about 10% should be bought.",
    "calibration slope": "1 when predictions are neither too bold nor too timid; below 1 they are too bold.",
    "base rate": "The conversion rate of all offers together.",
    "loss": "What training tries to make small; watched on data that the model does not learn from.",
    "epoch": "One pass of training over the data.",
    "ensemble": "Several models trained on differently weighted data; their disagreement is the uncertainty.",
    "pricing model": "Predicts the going price of an offer from product, market and supply.",
    "behavior model": "Predicts how likely a customer buys a product at any price.",
    "shap": "Splits a prediction into contributions of its inputs that add up exactly.",
    "lime": "A simple straight-line model of the prediction around one case.",
    "fidelity": "How well the simple explanation follows the model: 1 is perfect, 0 is useless.",
    "additivity error": "How far the contributions are from adding up to the prediction; should be almost zero.",
    "flip point": "The smallest change of an input that would change the recommendation.",
    # data
    "pseudonym": "A made-up name in place of a customer id; without the workspace's key nobody can go back.",
    "protected attribute": "A trait such as age or gender that must not set a price.",
    "outcome leak": "A column that is known only after the customer decided, and gives the answer away.",
    "set aside": "Not used, but kept in a file with row number and reason.",
    "outlier": "A value far from the usual ones of its product.",
    "duplicate": "A row that repeats another one.",
    "data set": "The tables of one import, kept as they were.",
    "run": "One training of the models, with its settings and results.",
    "job": "Work that runs in the background while the app stays usable.",
    "price list": "The prices to put into force, one row per product or per customer and product.",
    "disclosure": "Text that tells a customer that the price was personalized.",
}
"""Term, in lower case → one sentence."""

_SAME: Final = {
    "conversion": "conversion rate", "own price elasticity": "own-price elasticity", "cost": "unit cost",
    "supply demand pressure": "supply-demand pressure", "demand pressure": "supply-demand pressure",
    "constraint": "binding constraint", "binding": "binding constraint", "leak": "outcome leak",
    "band": "interval",
    "range": "interval", "dataset": "data set", "p(loss)": "probability of loss", "draw": "posterior draw",
    "price list status": "price list", "strategy": "pricing strategy", "max change": "maximum change",
    "roc auc": "auc", "shap value": "shap", "cost plus": "cost-plus", "competitor": "competitor index",
    "uniform": "uniform price", "personalized": "personalized price",
    "personalized discount": "discount only", "mde": "minimum detectable effect", "psi": "population stability index",
    "aa check": "a/a check", "realized against predicted": "ledger",
}  # fmt: skip


def define(term: str) -> str:
    """Return the one-sentence meaning of a term; case, underscores and a plural s do not matter.

    Raises
    ------
    ConfigError
        If the term is not in the glossary; the message names the nearest ones.
    """
    key = " ".join(term.replace("_", " ").lower().split())
    for candidate in (key, key.removesuffix("s"), key.removesuffix("es"), key.removesuffix(" rate")):
        candidate = _SAME.get(candidate, candidate)
        if candidate in TERMS:
            return TERMS[candidate]
    near = difflib.get_close_matches(key, TERMS, n=3)
    raise ConfigError(
        f"The glossary has no term {term!r}.",
        fix=f"Did you mean {', '.join(near)}?" if near else "Add it to pricing_core/glossary.py.",
    )
