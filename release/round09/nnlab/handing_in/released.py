"""What was released: the notebooks of the round, and the grade ids of their cells in order.

None of this is secret: it stands in the metadata of every student's notebooks. A test compares it
with the source notebooks.
"""

ROUND = "round09"
COURSE = "CS-E4850 Computer Vision"
TITLE = "Exercise round 9"
OPTIONAL = {"extra-code"}  # gives no points, and no other cell needs it

_IDS = {
    "derivation": """
        one-case-code drawing stage1-derivation stage1-code stage1-check stage1-loss
        stage2-derivation stage2-code stage2-check stage2-dE-dz2 stage3-derivation
        stage3-code stage3-check stage3-dE-dy1 stage4-derivation stage4-code
        stage4-check stage4-dE-dW2 stage5-derivation stage5-code stage5-check
        stage5-jacobian stage6-derivation stage6-code stage6-check stage6-dE-dz1
        stage7-derivation stage7-code stage7-check stage7-dE-dW1 stage8-derivation
        stage8-code stage8-check stage8-mean stage9-derivation stage9-code stage9-check
        stage9-weight-decay extra-code extra-check extra-backprop
    """,
    "classification": """
        log-softmax-code log-softmax-check log-softmax forward-code forward-check
        forward-pass loss-code loss-check batch-loss gradient-code gradient-check-code
        gradient-W1 gradient-W2 gradient-weight-decay gradient-stability gradient-sizes
        gradient-inputs descend-code sheet-code sheet-check sheet-loss learn-code
        learn-check test-accuracy evaluate-code evaluate-check error-rate
        confusion-matrix inside-answer compare-answer
    """,
    "optimisation": """
        batches-code batches-check mini-batches momentum-code momentum-check
        momentum-update training-code training-check training-loop network-code
        network-check run-code sweep-code sweep-check learning-rate-sweep sweep-answer
        fit-code generalise-answer final-code final-check final-network
    """,
}

CELLS = {notebook: ids.split() for notebook, ids in _IDS.items()}
