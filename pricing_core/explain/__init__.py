"""Why this price: which features drive an answer, and how a recommendation comes about in money.

*Shapley values* (:mod:`~pricing_core.explain.shapley`) share out the difference between a prediction and the average
prediction over a background of other offers, so that the shares add up exactly. *LIME*
(:mod:`~pricing_core.explain.lime`) fits a straight line around one offer and says how well the line fits. Both ask the
model only through a function of encoded rows, so they serve a network and a tree alike; both describe the model, not
what would happen if a customer changed. The *price step ladder* (:mod:`~pricing_core.explain.price_steps`) needs no
model: it is the difference between prices computed with successively more information.
"""
