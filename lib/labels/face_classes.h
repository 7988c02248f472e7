/*
 * Numbers for the classes of faces, which labels give as texts: whole numbers are what
 * they say; other texts are names, and the classes their order.
 */
#ifndef KF_FACE_CLASSES_H
#define KF_FACE_CLASSES_H

#include "labels/faces.h"

/* All zeros has none; free it with kf_face_classes_free. */
struct kf_face_classes {
	int n;                 /* classes; 0: the faces have no labels */
	struct kf_names names; /* (n), or none */
};

/*
 * Finds the classes: with `given`, these names, and labels are names of them or numbers
 * below their count; without, names in the order of the alphabet.  -1 where some faces
 * have a label and one has none, and where a label does not fit; the place is the face.
 */
int kf_face_classes_find(struct kf_face_classes *c, const struct kf_faces *faces,
	const struct kf_names *given, struct kf_err *err);

/* The number of a label of these faces. */
int kf_face_classes_number(const struct kf_face_classes *c, const char *label);

void kf_face_classes_free(struct kf_face_classes *c);

#endif
