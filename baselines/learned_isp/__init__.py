"""The MAI 2022 learned ISP."""
