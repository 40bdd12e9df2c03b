"""A small Vocos of our own: trained on openly licensed speech, in the layout that the joint model's vocoder reads."""
